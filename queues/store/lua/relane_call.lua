-- relane_call: a supervisor moves a waiting call to another queue, or raises it in tier; its place in time is kept.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 from_lane_id    where it was when he looked
--   4 lane_id
--   5 lane            the lane's rules, JSON
--   6 is_raised       1: raised by hand, 0: moved
--   7 by
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: it is there
--   gone              it has ended, or was never heard of
--   stale:<state>     and the facts: it does not wait; stale:lane: it was elsewhere by then; stale:promised: it is a
--                     callback, and the queue has another one for the same customer
local now_ms = tonumber(ARGV[1])
local call_id, from_lane_id, new_lane_id, new_lane = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local is_raised, by = ARGV[6] == "1", ARGV[7]
-- include: base
-- include: facts
-- include: lanes
-- include: never
-- include: callbacks

local state, lane_id, lane, queued_ms, position, told, callback, queue =
  read("call", call_id, "state", "lane_id", "lane", "queued_ms", "position", "told", "callback", "queue")
if state ~= "queued" then return refuse_call(call_id, state) end
if lane_id == new_lane_id then return about_call("again", call_id) end
if lane_id ~= from_lane_id then return about_call("stale:lane", call_id) end
local before, after = cjson.decode(lane), cjson.decode(new_lane)
if has_promise(callback) and after.queue ~= queue and not move_promise(call_id, after.queue) then
  return about_call("stale:promised", call_id)
end
leave_lane(call_id)
write("call", call_id, "queue", after.queue, "lane_id", new_lane_id, "lane", new_lane,
  "position", after.queue == before.queue and position or 0, "told", after.queue == before.queue and told or "")
local never = refresh_never(call_id)
enter_lane(call_id)
queued_ms = tonumber(queued_ms)
line(is_raised and "call.raised" or "call.moved", call_id, "", "", { "from_queue", before.queue, "queue", after.queue,
  "from_tier", before.tier, "tier", after.tier, "from_key", queued_ms - before.head_start_ms,
  "key", queued_ms - after.head_start_ms, "queued_ms", queued_ms, "lane", new_lane_id, "rules", { json = new_lane },
  "never", never, "by", by })
return about_call("ok", call_id)
