-- raise_notice: callers hear this from now on, or hear it changed.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 notice_id
--   3 notice          JSON
--   4 by
-- REPLY
--   ok
--   again             it is there, word for word
local now_ms = tonumber(ARGV[1])
local notice_id, notice, by = ARGV[2], ARGV[3], ARGV[4]
-- include: base

if redis.call("HGET", key("notices"), notice_id) == notice then return { "again" } end
redis.call("HSET", key("notices"), notice_id, notice)
line("notice.raised", "", "", "", { "notice_id", notice_id, "by", by })
return { "ok" }
