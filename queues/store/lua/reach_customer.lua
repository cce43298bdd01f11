-- reach_customer: he is there himself, and has said so with the key: he is with the agent who waits for him, or stands
-- in his lane, on the line.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 offer_id        of the agent who waits for him, or of this try
--   3 leg_id
--   4 remembers       1: who talked with whom is kept, for when he calls again
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: he has pressed it before
--   gone              and the facts, if any: nobody waits for him any more, or another leg rings
local now_ms = tonumber(ARGV[1])
local offer_id, leg_id = ARGV[2], ARGV[3]
-- include: base
-- include: moves
-- include: facts
-- include: effects
-- include: lanes
-- include: met
-- include: skills
-- include: turns
-- include: never
-- include: legs
-- include: callbacks
-- include: dials

local call_id, agent_id, customer_leg_id, state, is_dialled = read_dial(offer_id)
if is_on(call_id, leg_id) then return about_call("again", call_id) end
local is_strange = leg_id == "" or is_other_leg(customer_leg_id, leg_id)
if not is_dialled or is_strange or state == "connected" then return about_dialled("gone", call_id) end
local record, callback_ms, entered_ms, queued_ms, queue, talks =
  read("call", call_id, "record", "callback_ms", "entered_ms", "queued_ms", "queue", "talks")
bind_customer(offer_id, leg_id)
drop_effect("dial:" .. offer_id)
redis.call("ZREM", key("deadlines"), "connect:" .. offer_id)
redis.call("ZADD", key("live"), text(now_ms), call_id)
if state == "calling" then
  move("call", call_id, "requeue", "offer_id", "", "leg_id", leg_id)
  local never = refresh_never(call_id)
  enter_lane(call_id)
  line("callback.reached", call_id, "", offer_id, { "queued_ms", tonumber(queued_ms), "never", never })
  return about_call("ok", call_id)
end
talks = (tonumber(talks) or 0) + 1
drop_promise(call_id)
move("call", call_id, "connect", "answered_ms", now_ms, "connected_ms", now_ms, "room", offer_id, "talks", talks,
  "callback", "kept", "leg_id", leg_id)
move("agent", agent_id, "connect")
if record == "wanted" then
  add_effect("record:" .. call_id, effect_json("record", call_id, offer_id, agent_id, leg_id, "", "", 0), now_ms)
end
if ARGV[4] == "1" then keep_met(ref_of(read("call", call_id, "customer_id", "caller_ref")), agent_id) end
line("call.connected", call_id, agent_id, offer_id, { "answered_ms", now_ms,
  "wait_ms", tonumber(callback_ms) - (tonumber(entered_ms) or tonumber(queued_ms)), "queue", queue, "recording", record, "talk", talks })
take_turn(offer_id)
return about_call("ok", call_id)
