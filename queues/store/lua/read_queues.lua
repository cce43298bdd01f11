-- read_queues: who waits in each lane from its head, who is signed in with which skills, what is closed. Reads only.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 heads_max       how many calls of a lane, from its head
-- REPLY
--   ok                then all of it as one JSON text
local now_ms = tonumber(ARGV[1])
local heads_max = tonumber(ARGV[2])
-- include: base
-- include: called_back

local lanes, agents, closed = {}, {}, {}
local rules = redis.call("HGETALL", key("lanes"))
for n = 1, #rules, 2 do
  local entries = redis.call("ZRANGE", key("lane", rules[n]), 0, heads_max - 1, "WITHSCORES")
  local calls = {}
  for m = 1, #entries, 2 do
    local call_id = string.sub(entries[m], 14)
    calls[#calls + 1] = { call_id, string.sub(entries[m], 1, 12), entries[m + 1],
      promised[call_id] and 1 or 0, read("call", call_id, "customer_name", "tier", "matter", "ticket_no") }
  end
  local count = redis.call("ZCARD", key("lane", rules[n]))
  lanes[#lanes + 1] = { rules[n], rules[n + 1], count, in_lane[rules[n]] or 0, calls }
end
for _, agent_id in ipairs(redis.call("SMEMBERS", key("agents"))) do
  agents[#agents + 1] = { agent_id, read("agent", agent_id, "name", "state", "skills", "lent", "idle_ms") }
end
local texts = redis.call("HGETALL", key("closed_queues"))
for n = 1, #texts, 2 do closed[#closed + 1] = { texts[n], texts[n + 1] } end
return { "ok", cjson.encode({ lanes = lanes, agents = agents, closed = closed, called = called }) }
