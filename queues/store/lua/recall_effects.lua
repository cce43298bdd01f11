-- recall_effects: their performer is dead; what it had taken is due again at once.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
-- REPLY
--   ok
local now_ms = tonumber(ARGV[1])
-- include: base

for _, effect_id in ipairs(redis.call("ZRANGEBYSCORE", key("due"), "(" .. text(now_ms), "+inf")) do
  local is_taken = cjson.decode(redis.call("HGET", key("effects"), effect_id)).attempt > 0
  if is_taken then redis.call("ZADD", key("due"), text(now_ms), effect_id) end
end
return { "ok" }
