-- read_wall: who waits in which queue, since when, and what every signed-in agent does, whether he was heard of lately
-- and since when his caller is on hold. Reads only.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
-- REPLY
--   ok                then all of it as one JSON text
local now_ms = tonumber(ARGV[1])
-- include: base
-- include: called_back

local lanes, held, agents = {}, {}, {}

-- The first in a lane who is on the line: none but those to be called back stand before him.
local function longest(lane_id)
  local entries = redis.call("ZRANGE", key("lane", lane_id), 0, in_lane[lane_id] or 0, "WITHSCORES")
  for n = 1, #entries, 2 do
    if not promised[string.sub(entries[n], 14)] then return entries[n + 1] end
  end
end

local rules = redis.call("HGETALL", key("lanes"))
for n = 1, #rules, 2 do
  local count = redis.call("ZCARD", key("lane", rules[n])) - (in_lane[rules[n]] or 0)
  if count > 0 then lanes[#lanes + 1] = { rules[n + 1], count, longest(rules[n]) } end
end
for _, agent_id in ipairs(redis.call("SMEMBERS", key("agents"))) do
  local agent = { agent_id, read("agent", agent_id, "name", "state", "reason", "since_ms", "call_id", "missed") }
  agent[8] = redis.call("ZSCORE", key("beats"), agent_id) and "1" or ""
  if agent[3] == "connected" then agent[9], agent[10] = read("call", agent[6], "held_ms", "queue") end
  agents[#agents + 1] = agent
  if agent[3] == "offered" or agent[3] == "connecting" then
    if not promised[agent[6]] then held[#held + 1] = { read("call", agent[6], "queue", "tier", "queued_ms") } end
  end
end
return { "ok", cjson.encode({ lanes = lanes, held = held, agents = agents, called = called }) }
