-- close_queue: a supervisor closes a queue now: new callers go where its closed hours lead, as long as it lasts.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 queue
--   3 leads           1: those who wait are led there as well, 0: they are served
--   4 by
-- REPLY
--   ok
--   again             it is closed so
local now_ms = tonumber(ARGV[1])
local queue, leads, by = ARGV[2], tonumber(ARGV[3]), ARGV[4]
-- include: base
-- include: moves
-- include: lanes
-- include: callbacks
-- include: closings

local was = redis.call("HGET", key("closed_queues"), queue)
if was and cjson.decode(was).leads == leads then return { "again" } end
redis.call("HSET", key("closed_queues"), queue, object({ "by", by, "at_ms", now_ms, "leads", leads }))
line("queue.closed", "", "", "", { "queue", queue, "leads", leads, "by", by })
if leads == 1 then rest_closed(queue) else wake_closed(queue) end
return { "ok" }
