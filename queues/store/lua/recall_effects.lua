-- recall_effects: their performer is dead; what it had taken is due again at once.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 in_hand         effect_ids that are being performed all the same, one a line
-- REPLY
--   ok
local now_ms = tonumber(ARGV[1])
local in_hand = "\n" .. ARGV[2] .. "\n"
-- include: base

for _, effect_id in ipairs(redis.call("ZRANGEBYSCORE", key("due"), "(" .. text(now_ms), "+inf")) do
  local is_taken = cjson.decode(redis.call("HGET", key("effects"), effect_id)).attempt > 0
  local is_kept = string.find(in_hand, "\n" .. effect_id .. "\n", 1, true)
  if is_taken and not is_kept then redis.call("ZADD", key("due"), text(now_ms), effect_id) end
end
return { "ok" }
