-- touch_call: a sign of life; which notices run, and while the call waits, its position, which never gets worse.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
-- REPLY
--   ok                and the facts of the call
--   gone              it has ended, or was never heard of
local now_ms = tonumber(ARGV[1])
local call_id = ARGV[2]
-- include: base
-- include: facts
-- include: identity

local state, lane, queued_ms, best, area = read("call", call_id, "state", "lane", "queued_ms", "position", "area")
if state == "" or state == "ended" then return about_call("gone", call_id) end
redis.call("ZADD", key("live"), text(now_ms), call_id)
write("call", call_id, "notices", running_notices(area))

-- 1 + how many wait in front of it in its queue, heads past their ceiling left aside.
local function place()
  local mine, ahead = cjson.decode(lane), 0
  local before = tonumber(queued_ms) - mine.head_start_ms
  local lanes = redis.call("HGETALL", key("lanes"))
  for n = 1, #lanes, 2 do
    local other = cjson.decode(lanes[n + 1])
    if other.queue == mine.queue and not (mine.is_safety and not other.is_safety) then
      if other.is_safety and not mine.is_safety then
        ahead = ahead + redis.call("ZCARD", key("lane", lanes[n]))
      else
        ahead = ahead + redis.call("ZCOUNT", key("lane", lanes[n]), "-inf", "(" .. text(before + other.head_start_ms))
      end
    end
  end
  return ahead + 1
end

if state == "queued" or state == "offered" or state == "connecting" then
  best = tonumber(best)
  local now_at = place()
  write("call", call_id, "position", best > 0 and math.min(best, now_at) or now_at)
end
return about_call("ok", call_id)
