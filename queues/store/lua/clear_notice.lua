-- clear_notice: no caller hears this any more.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 notice_id
--   3 by
-- REPLY
--   ok
--   again             it was not there
local now_ms = tonumber(ARGV[1])
local notice_id, by = ARGV[2], ARGV[3]
-- include: base

if redis.call("HDEL", key("notices"), notice_id) == 0 then return { "again" } end
line("notice.cleared", "", "", "", { "notice_id", notice_id, "by", by })
return { "ok" }
