-- claim_effects: take what is due, for the length of a lease; who dies with it gives it back.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 lease_ms
--   3 effects_max
-- REPLY
--   ok                then effect_id, effect as JSON, and so on, the longest due first
local now_ms = tonumber(ARGV[1])
local lease_ms, effects_max = tonumber(ARGV[2]), tonumber(ARGV[3])
-- include: base
-- include: effects

local reply = { "ok" }
local due = redis.call("ZRANGEBYSCORE", key("due"), "-inf", text(now_ms), "LIMIT", 0, effects_max)
for _, effect_id in ipairs(due) do
  local e = cjson.decode(redis.call("HGET", key("effects"), effect_id))
  local json = effect_json(e.kind, e.call_id, e.offer_id, e.agent_id, e.leg_id, e.to, e.line, e.attempt + 1)
  redis.call("HSET", key("effects"), effect_id, json)
  redis.call("ZADD", key("due"), text(now_ms + lease_ms), effect_id)
  reply[#reply + 1] = effect_id
  reply[#reply + 1] = json
end
return reply
