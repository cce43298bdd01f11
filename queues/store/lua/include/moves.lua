-- The three tables of the domain: event -> state -> next state. A test proves them equal to Python's.
local MOVES = {
  call = {
    enqueue = { menu = "queued" },
    close_out = { menu = "messaging" },
    divert = { menu = "messaging", queued = "messaging", offered = "messaging" },
    offer = { queued = "offered" },
    accept = { offered = "connecting" },
    connect = { connecting = "connected" },
    ["return"] = { messaging = "menu" },
    transfer = { connected = "queued" },
    hand_over = { connected = "connecting" },
    requeue = { offered = "queued", connecting = "queued" },
    rest = { queued = "resting", connecting = "resting" },
    wake = { resting = "queued" },
    ["end"] = {
      menu = "ended", queued = "ended", offered = "ended", connecting = "ended", connected = "ended", messaging = "ended",
      resting = "ended",
    },
  },
  agent = {
    sign_in = { signed_out = "away" },
    release = { away = "ready", offered = "ready", connecting = "ready", wrap_up = "ready" },
    rest = { away = "away", ready = "away", offered = "away", connecting = "away", wrap_up = "away" },
    leave = {
      away = "signed_out", ready = "signed_out", offered = "signed_out", connecting = "signed_out", wrap_up = "signed_out",
    },
    offer = { ready = "offered" },
    accept = { offered = "connecting" },
    connect = { connecting = "connected" },
    wrap_up = { connected = "wrap_up" },
  },
  offer = {
    ring = { claimed = "ringing" },
    answer = { claimed = "answered", ringing = "answered" },
    accept = { claimed = "accepted", ringing = "accepted", answered = "accepted" },
    decline = { claimed = "declined", ringing = "declined", answered = "declined" },
    expire = { claimed = "expired", ringing = "expired", answered = "expired" },
    unring = { claimed = "unrung", ringing = "unrung" },
    withdraw = { claimed = "withdrawn", ringing = "withdrawn", answered = "withdrawn" },
  },
}

-- Moves one record along its table and writes fields with it; what no table names is an error of a script.
local function move(kind, id, event, ...)
  local state = redis.call("HGET", key(kind, id), "state") or ""
  local after = MOVES[kind][event][state]
  if not after then error(kind .. " " .. event .. " from " .. state) end
  if kind == "agent" then write(kind, id, "since_ms", now_ms) end
  write(kind, id, "state", after, ...)
end
