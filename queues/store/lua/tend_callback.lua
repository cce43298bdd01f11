-- tend_callback: the deadline of a callback: into its lane, out of it because the hours are over, or to its end.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 opens_ms        the instant at which we call again; not in the future: we call now
--   4 closes_ms       until then; 0: for ever
--   5 hold_ms         while an agent has it, it is looked at again so much later
--   6 forget_ms       how long an ended call is remembered
-- REPLY
--   ok                and the facts of the call: it waits in its lane
--   resting           and the facts: it is outside the hours, or those who wait are led out of its queue
--   over              and the facts: too late, or he has rung again
--   held              and the facts: an agent has it, he is being rung, or is on the line
--   early             and the facts: the deadline lies ahead
--   gone              it has ended, is connected, was never heard of, or is no callback
local now_ms = tonumber(ARGV[1])
local call_id, opens_ms, closes_ms = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local hold_ms, forget_ms = tonumber(ARGV[5]), tonumber(ARGV[6])
-- include: base
-- include: moves
-- include: facts
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers
-- include: callbacks
-- include: promises

local name = "callback:" .. call_id
local state, callback, until_ms, queued_ms, own_leg, queue =
  read("call", call_id, "state", "callback", "callback_until_ms", "queued_ms", "leg_id", "queue")
if state == "ended" or not has_promise(callback) then return about_call("gone", call_id) end
if is_early(name) then return about_call("early", call_id) end
if (state ~= "queued" and state ~= "resting") or own_leg ~= "" then
  redis.call("ZADD", key("deadlines"), text(now_ms + hold_ms), name)
  return about_call("held", call_id)
end
until_ms = tonumber(until_ms)
if now_ms >= until_ms or is_taken_over(call_id) then
  end_callback(call_id, how_it_ends(call_id), forget_ms)
  return about_call("over", call_id)
end
write("call", call_id, "callback", "open")
local closed = redis.call("HGET", key("closed_queues"), queue)
if closed and cjson.decode(closed).leads == 1 then
  rest_callback(call_id, state, "closed", until_ms)
  return about_call("resting", call_id)
end
if opens_ms > now_ms then
  rest_callback(call_id, state, "window", math.min(opens_ms, until_ms))
  return about_call("resting", call_id)
end
if state == "resting" then
  move("call", call_id, "wake")
  local never = refresh_never(call_id)
  enter_lane(call_id)
  line("callback.woken", call_id, "", "", { "queued_ms", tonumber(queued_ms), "never", never })
end
redis.call("ZADD", key("deadlines"), text(closes_ms > 0 and math.min(closes_ms, until_ms) or until_ms), name)
return about_call("ok", call_id)
