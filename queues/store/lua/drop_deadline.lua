-- drop_deadline: a deadline that has passed and concerns nobody any more.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 name            such as offer:<offer_id>
-- REPLY
--   ok
--   early             it lies ahead: somebody has set it anew
--   again             there is none
local now_ms = tonumber(ARGV[1])
local name = ARGV[2]
-- include: base

local due_ms = redis.call("ZSCORE", key("deadlines"), name)
if not due_ms then return { "again" } end
if tonumber(due_ms) > now_ms then return { "early" } end
redis.call("ZREM", key("deadlines"), name)
return { "ok" }
