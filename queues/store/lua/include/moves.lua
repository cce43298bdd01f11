-- The three tables of the domain, an event a line: from which state to which. A test proves them equal to Python's.
-- Texts and not tables within tables: a script builds all of this anew whenever it runs.
local MOVES = {
  ["call enqueue"] = "menu>queued",
  ["call close_out"] = "menu>messaging",
  ["call divert"] = "menu>messaging queued>messaging offered>messaging",
  ["call offer"] = "queued>offered",
  ["call accept"] = "offered>connecting",
  ["call connect"] = "connecting>connected",
  ["call return"] = "messaging>menu",
  ["call transfer"] = "connected>queued",
  ["call hand_over"] = "connected>connecting",
  ["call requeue"] = "offered>queued connecting>queued calling>queued",
  ["call rest"] = "queued>resting connecting>resting calling>resting offered>resting",
  ["call wake"] = "resting>queued",
  ["call call"] = "queued>calling",
  ["call lead"] = "queued>menu",
  ["call end"] =
    "menu>ended queued>ended offered>ended connecting>ended connected>ended messaging>ended resting>ended calling>ended",
  ["agent sign_in"] = "signed_out>away",
  ["agent release"] = "away>ready offered>ready connecting>ready wrap_up>ready",
  ["agent rest"] = "away>away ready>away offered>away connecting>away wrap_up>away",
  ["agent leave"] =
    "away>signed_out ready>signed_out offered>signed_out connecting>signed_out wrap_up>signed_out",
  ["agent offer"] = "ready>offered",
  ["agent accept"] = "offered>connecting",
  ["agent connect"] = "connecting>connected",
  ["agent wrap_up"] = "connected>wrap_up",
  ["offer ring"] = "claimed>ringing",
  ["offer answer"] = "claimed>answered ringing>answered",
  ["offer accept"] = "claimed>accepted ringing>accepted answered>accepted",
  ["offer decline"] = "claimed>declined ringing>declined answered>declined",
  ["offer expire"] = "claimed>expired ringing>expired answered>expired",
  ["offer unring"] = "claimed>unrung ringing>unrung",
  ["offer withdraw"] = "claimed>withdrawn ringing>withdrawn answered>withdrawn",
}

-- The state after this event; nil: from here it leads nowhere.
local function state_after(kind, event, state)
  return string.match(" " .. MOVES[kind .. " " .. event], " " .. state .. ">(%S+)")
end

-- Moves one record along its table and writes fields with it; what no table names is an error of a script.
local function move(kind, id, event, ...)
  local state = redis.call("HGET", key(kind, id), "state") or ""
  local after = state_after(kind, event, state)
  if not after then error(kind .. " " .. event .. " from " .. state) end
  if kind == "agent" then return write(kind, id, "state", after, "since_ms", now_ms, ...) end
  write(kind, id, "state", after, ...)
end
