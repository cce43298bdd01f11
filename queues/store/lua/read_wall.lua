-- read_wall: who waits in which queue, since when, and what every signed-in agent does. Reads only.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
-- REPLY
--   ok                then all of it as one JSON text
local now_ms = tonumber(ARGV[1])
-- include: base

local lanes, held, agents = {}, {}, {}
local rules = redis.call("HGETALL", key("lanes"))
for n = 1, #rules, 2 do
  local head = redis.call("ZRANGE", key("lane", rules[n]), 0, 0, "WITHSCORES")
  lanes[#lanes + 1] = { rules[n + 1], redis.call("ZCARD", key("lane", rules[n])), head[2] }
end
for _, agent_id in ipairs(redis.call("SMEMBERS", key("agents"))) do
  local agent = { agent_id, read("agent", agent_id, "name", "state", "reason", "since_ms", "call_id") }
  agents[#agents + 1] = agent
  if agent[3] == "offered" or agent[3] == "connecting" then
    held[#held + 1] = { read("call", agent[6], "queue", "tier", "queued_ms") }
  end
end
return { "ok", cjson.encode({ lanes = lanes, held = held, agents = agents }) }
