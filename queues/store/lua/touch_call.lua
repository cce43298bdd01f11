-- touch_call: a sign of life; in the menu which notices run, and while the call waits, its position, which never
-- gets worse; and what the caller is told of it now, if that is due.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 round_no        of his wait documents
--   4 first_ms        after which he is told his place
--   5 every_ms        and again; 0: not at all
--   6 fresh_ms        an estimate older than this is not told
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: he is to be called back, nobody is on the line
--   gone              it has ended, or was never heard of
local now_ms = tonumber(ARGV[1])
local call_id, round_no = ARGV[2], tonumber(ARGV[3])
local first_ms, every_ms, fresh_ms = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
-- include: base
-- include: facts
-- include: never
-- include: identity
-- include: announcing

local state, lane, queued_ms, best, area, told, callback, own_leg =
  read("call", call_id, "state", "lane", "queued_ms", "position", "area", "told", "callback", "leg_id")
if state == "" or state == "ended" then return about_call("gone", call_id) end
if callback ~= "" and own_leg == "" then return about_call("again", call_id) end
redis.call("ZADD", key("live"), text(now_ms), call_id)
if state == "menu" then write("call", call_id, "notices", running_notices(area)) end

-- 1 + how many wait in front of it in its queue, heads past their ceiling left aside.
-- A lane's id begins with its queue and ends with its head start, whether it is about safety, and `raised`.
local function place(mine)
  local ahead = 0
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
  local mine = cjson.decode(lane)
  local now_at = place(mine)
  if best > 0 then now_at = math.min(best, now_at) end
  if every_ms > 0 and not mine.is_safety then
    told = announce(call_id, now_at, told, round_no, first_ms, every_ms, fresh_ms)
  end
  write("call", call_id, "position", now_at, "told", told)
end
return about_call("ok", call_id)
