-- touch_call: a sign of life; in the menu which notices run, and while the call waits, its position, which never
-- gets worse.
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
if state == "menu" then write("call", call_id, "notices", running_notices(area)) end

-- 1 + how many wait in front of it in its queue, heads past their ceiling left aside.
-- A lane's id begins with its queue and ends with its head start, whether it is about safety, and `raised`.
local function place()
  local mine, ahead = cjson.decode(lane), 0
  local before, queue = tonumber(queued_ms) - mine.head_start_ms, mine.queue .. "|"
  for _, lane_id in ipairs(redis.call("HKEYS", key("lanes"))) do
    local head_start_ms, safety = string.match(lane_id, "|(%d+)|([01])|?%a*$")
    if string.sub(lane_id, 1, #queue) == queue and not (mine.is_safety and safety == "0") then
      if safety == "1" and not mine.is_safety then
        ahead = ahead + redis.call("ZCARD", key("lane", lane_id))
      else
        ahead = ahead + redis.call("ZCOUNT", key("lane", lane_id), "-inf", "(" .. text(before + head_start_ms))
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
