-- open_queue: a queue that was closed by hand takes callers again, in its hours.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 queue
--   3 by
-- REPLY
--   ok
--   again             it is not closed
local now_ms = tonumber(ARGV[1])
local queue, by = ARGV[2], ARGV[3]
-- include: base
-- include: moves
-- include: lanes
-- include: callbacks
-- include: closings

if redis.call("HDEL", key("closed_queues"), queue) == 0 then return { "again" } end
line("queue.opened", "", "", "", { "queue", queue, "by", by })
wake_closed(queue)
return { "ok" }
