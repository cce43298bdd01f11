-- read_desk: one agent, his offer, his call, and how many wait in each lane. Reads only.
-- KEYS
--   1 site
-- ARGV
--   1 agent_id
-- REPLY
--   ok                then all of it as one JSON text
--   gone              nobody of this id ever signed in
local now_ms = 0
local agent_id = ARGV[1]
-- include: base

local function record(kind, id)
  local fields = redis.call("HGETALL", key(kind, id))
  local found = {}
  for n = 1, #fields, 2 do found[fields[n]] = fields[n + 1] end
  found.number = nil
  return found
end

if redis.call("EXISTS", key("agent", agent_id)) == 0 then return { "gone" } end
local agent = record("agent", agent_id)
local offer, call = {}, {}
if (agent.offer_id or "") ~= "" then offer = record("offer", agent.offer_id) end
if (agent.call_id or "") ~= "" then call = record("call", agent.call_id) end
local consult = {}
if (call.consult_id or "") ~= "" then consult = record("offer", call.consult_id) end
local lanes = {}
local rules = redis.call("HGETALL", key("lanes"))
for n = 1, #rules, 2 do
  lanes[#lanes + 1] = { rules[n + 1], redis.call("ZCARD", key("lane", rules[n])) }
end
local ends_ms = redis.call("ZSCORE", key("deadlines"), "offer:" .. (agent.offer_id or "")) or ""
return { "ok", cjson.encode({ agent = agent, offer = offer, call = call, consult = consult, lanes = lanes, ends_ms = ends_ms }) }
