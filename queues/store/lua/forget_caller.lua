-- forget_caller: nothing is kept under this reference any more.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 caller_ref
-- REPLY
--   ok
--   again             nothing was
local now_ms = tonumber(ARGV[1])
local caller_ref = ARGV[2]
-- include: base
-- include: places
-- include: met

local is_known = redis.call("HEXISTS", key("places"), caller_ref) == 1
erase_places(caller_ref)
is_known = drop_met(caller_ref) or is_known
return { is_known and "ok" or "again" }
