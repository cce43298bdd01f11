-- drop_place: the time of the places kept for a caller is up.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 caller_ref
-- REPLY
--   ok
--   early             it lies ahead
--   gone              none is kept
local now_ms = tonumber(ARGV[1])
local caller_ref = ARGV[2]
-- include: base
-- include: places

if redis.call("HEXISTS", key("places"), caller_ref) == 0 then return { "gone" } end
local due_ms = redis.call("ZSCORE", key("deadlines"), "place:" .. caller_ref)
if tonumber(due_ms or 0) > now_ms then return { "early" } end
erase_places(caller_ref)
return { "ok" }
