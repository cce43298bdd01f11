-- activate_version: from now on calls begin with this version of the site's words.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 version
--   3 by
-- REPLY
--   ok
--   again             it is in force
local now_ms = tonumber(ARGV[1])
local version, by = ARGV[2], ARGV[3]
-- include: base

if redis.call("GET", key("version")) == version then return { "again" } end
redis.call("SET", key("version"), version)
line("site.activated", "", "", "", { "version", version, "by", by })
return { "ok" }
