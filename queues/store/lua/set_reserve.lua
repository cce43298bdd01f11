-- set_reserve: the seats that a queue keeps for some tiers are for everybody from now on, or are kept again.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 queue
--   3 is_armed        0: released
--   4 waited_ms       the longest of those they are not kept for
-- REPLY
--   ok
--   again             they are
local now_ms = tonumber(ARGV[1])
local queue, is_armed, waited_ms = ARGV[2], ARGV[3] == "1", tonumber(ARGV[4])
-- include: base

local is_released = redis.call("HEXISTS", key("reserves"), queue) == 1
if is_armed ~= is_released then return { "again" } end
if is_armed then
  redis.call("HDEL", key("reserves"), queue)
else
  redis.call("HSET", key("reserves"), queue, text(now_ms))
end
bump("turn")
line(is_armed and "reserve.armed" or "reserve.released", "", "", "", { "queue", queue, "waited_ms", waited_ms })
return { "ok" }
