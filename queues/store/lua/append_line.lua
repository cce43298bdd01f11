-- append_line: another room's event takes its place in the journal.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 type
--   3 call_id
--   4 data            JSON
-- REPLY
--   ok                then the line's id
local now_ms = tonumber(ARGV[1])
local type_, call_id, data = ARGV[2], ARGV[3], ARGV[4]
-- include: base

return { "ok", line(type_, call_id, "", "", data) }
