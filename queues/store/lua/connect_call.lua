-- connect_call: the pulled caller is with the agent who accepted; unless refused, recording is due.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 offer_id
--   4 remembers       1: who talked with whom is kept for when he calls again
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: connected before
--   gone              it has ended, or is not with this offer
local now_ms = tonumber(ARGV[1])
local call_id, offer_id = ARGV[2], ARGV[3]
-- include: base
-- include: moves
-- include: facts
-- include: effects
-- include: met
-- include: skills
-- include: turns
-- include: callbacks

local state, current, agent_id, queue, record, queued_ms, entered_ms, waits_ms, answered_ms, talks, callback, own_leg,
  callback_ms = read("call", call_id, "state", "offer_id", "agent_id", "queue", "record", "queued_ms", "entered_ms",
  "waits_ms", "answered_ms", "talks", "callback", "leg_id", "callback_ms")
if callback ~= "" and own_leg == "" then return about_call("gone", call_id) end
if current ~= offer_id or (state ~= "connecting" and state ~= "connected") then return about_call("gone", call_id) end
if state == "connected" then return about_call("again", call_id) end
local wait_ms = now_ms - (tonumber(waits_ms) or tonumber(entered_ms) or tonumber(queued_ms))
if has_promise(callback) then
  -- He was called back, and waited on the line: his own waiting ended when he asked.
  drop_promise(call_id)
  callback, wait_ms = "kept", tonumber(callback_ms) - (tonumber(entered_ms) or tonumber(queued_ms))
end
answered_ms, talks = answered_ms == "" and now_ms or tonumber(answered_ms), (tonumber(talks) or 0) + 1
move("call", call_id, "connect", "answered_ms", answered_ms, "connected_ms", now_ms, "room", offer_id, "talks", talks,
  "callback", callback)
move("agent", agent_id, "connect")
redis.call("ZADD", key("live"), text(now_ms), call_id)
redis.call("ZREM", key("deadlines"), "connect:" .. offer_id)
drop_effect("pull:" .. offer_id)
if record == "wanted" then
  add_effect("record:" .. call_id, effect_json("record", call_id, offer_id, agent_id, own_leg, "", "", 0), now_ms)
end
if ARGV[4] == "1" then keep_met(ref_of(read("call", call_id, "customer_id", "caller_ref")), agent_id) end
line("call.connected", call_id, agent_id, offer_id,
  { "answered_ms", answered_ms, "wait_ms", wait_ms, "queue", queue, "recording", record, "talk", talks })
take_turn(offer_id)
return about_call("ok", call_id)
