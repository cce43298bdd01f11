-- retry_effect: it failed; once more, later.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 effect_id
--   3 due_ms
-- REPLY
--   ok
--   gone              it is no longer wanted
local now_ms = tonumber(ARGV[1])
local effect_id, due_ms = ARGV[2], ARGV[3]
-- include: base

if redis.call("HEXISTS", key("effects"), effect_id) == 0 then return { "gone" } end
redis.call("ZADD", key("due"), due_ms, effect_id)
return { "ok" }
