-- release_lease: who led steps down, so that the next need not wait.
-- KEYS
--   1 site
-- ARGV
--   1 name
--   2 holder
-- REPLY
--   ok
--   gone              he did not lead
local now_ms = 0
local name, holder = ARGV[1], ARGV[2]
-- include: base

if redis.call("GET", key("leader", name)) ~= holder then return { "gone" } end
redis.call("DEL", key("leader", name))
return { "ok" }
