-- read_standing: who waits in which lane since when, and how far every agent is with his call. Reads only.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 calls_max       of a lane, from its head
-- REPLY
--   ok                then all of it as one JSON text
local now_ms = tonumber(ARGV[1])
local calls_max = tonumber(ARGV[2])
-- include: base

local lanes, agents = {}, {}
local rules = redis.call("HGETALL", key("lanes"))
for n = 1, #rules, 2 do
  local waiting = redis.call("ZRANGE", key("lane", rules[n]), 0, calls_max - 1, "WITHSCORES")
  lanes[#lanes + 1] = { rules[n], rules[n + 1], waiting }
end
-- Nobody waits: nobody asks who is there.
if #lanes > 0 then
  for _, agent_id in ipairs(redis.call("SMEMBERS", key("agents"))) do
    local skills, state, next_, call_id, until_ms =
      read("agent", agent_id, "skills", "state", "next", "call_id", "wrap_up_until_ms")
    local queue, answered_ms = "", ""
    if call_id ~= "" then queue, answered_ms = read("call", call_id, "queue", "answered_ms") end
    agents[#agents + 1] = { agent_id, skills, state, next_, queue, answered_ms, until_ms }
  end
end
return { "ok", cjson.encode({ lanes = lanes, agents = agents }) }
