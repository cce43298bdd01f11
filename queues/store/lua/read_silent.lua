-- read_silent: calls under way that gave no sign of life for too long. Reads only.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 silent_ms       of a call that waits, or listens
--   3 talking_ms      of a call that is connected
--   4 calls_max
-- REPLY
--   ok                then the call_ids, the longest silent first
local now_ms = tonumber(ARGV[1])
local silent_ms, talking_ms, calls_max = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
-- include: base

local LOOKED_AT_MAX = 2000

local reply = { "ok" }
local found = redis.call("ZRANGEBYSCORE", key("live"), "-inf", text(now_ms - silent_ms), "WITHSCORES",
  "LIMIT", 0, LOOKED_AT_MAX)
for n = 1, #found, 2 do
  local is_talking = read("call", found[n], "state") == "connected"
  local is_silent = not is_talking or tonumber(found[n + 1]) <= now_ms - talking_ms
  if is_silent and #reply <= calls_max then reply[#reply + 1] = found[n] end
end
return reply
