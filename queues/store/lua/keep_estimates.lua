-- keep_estimates: how long those in each lane will wait, by depth; what was known before is gone.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 estimates       JSON: lane_id -> text
-- REPLY
--   ok
local now_ms = tonumber(ARGV[1])
local estimates = cjson.decode(ARGV[2])
-- include: base

redis.call("DEL", key("estimates"))
for lane_id, text_ in pairs(estimates) do redis.call("HSET", key("estimates"), lane_id, text_) end
return { "ok" }
