-- The beginnings of lanes, and whom the calls read name. Expects `heads_max`.
local DEEPER = 4

-- One more than is told shows whether there are more.
local function is_cut(entries, most)
  local more = #entries > 2 * most
  if more then entries[#entries], entries[#entries - 1] = nil, nil end
  return more
end

local people = {}

local function meet(named)
  for agent_id in string.gmatch(named, "%S+ %S+ ([^\n]+)") do
    if not people[agent_id] then
      local state, skills, idle_ms = read("agent", agent_id, "state", "skills", "idle_ms")
      people[agent_id] = { agent_id, state, skills, idle_ms }
    end
  end
end

-- The next ones of a lane, behind those that were read.
local function read_on(lane_id, lane)
  local calls = lane[2]
  local entries = redis.call("ZRANGE", key("lane", lane_id), #calls, #calls + heads_max, "WITHSCORES")
  lane[3] = is_cut(entries, heads_max)
  for n = 1, #entries, 2 do
    local skips, never, named, callback, own_leg =
      read("call", string.sub(entries[n], 14), "skips", "never", "named", "callback", "leg_id")
    if named ~= "" then meet(named) end
    calls[#calls + 1] = { entries[n], entries[n + 1], skips, never, named, callback, own_leg }
  end
  return lane
end

-- Lanes with more behind, whose own needs somebody meets who is ready; each with what its last call read ranks by.
local function open_lanes(ids, lanes, pools)
  local found = {}
  for n, lane_id in ipairs(ids) do
    local needs, head_start_ms, safety = string.match(lane_id, "^[^|]*|[^|]*|([^|]*)|(%d+)|([01])|?%a*$")
    local asked, is_met = {}, false
    for need in string.gmatch(needs or "", "[^+]+") do asked[#asked + 1] = need end
    for _, pool in ipairs(lanes[n][3] and pools or {}) do is_met = is_met or can(pool[1], asked) end
    if is_met then found[#found + 1] = { n, tonumber(head_start_ms), safety == "1" and 0 or 1 } end
  end
  return found
end

-- Of those lanes the one that is likeliest to be next is read on, a few times: it can serve more than it shows.
local function deepen(ids, lanes, pools)
  local open = open_lanes(ids, lanes, pools)
  for _ = 1, DEEPER do
    local best
    for _, each in ipairs(open) do
      local lane = lanes[each[1]]
      if lane[3] then
        local place = lane[2][#lane[2]][2] - each[2]
        if not best or each[3] < best[2] or (each[3] == best[2] and place < best[3]) then best = { each[1], each[3], place } end
      end
    end
    if not best then return end
    read_on(ids[best[1]], lanes[best[1]])
  end
end
