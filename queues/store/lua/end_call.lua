-- end_call: a call ends, in whatever state it is; who was held for it is free, or wraps up.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 by              caller, agent, system
--   4 wrap_up_ms
--   5 linger_ms       how long a caller who is let go may take to leave by himself
--   6 forget_ms       how long the ended call is remembered
--   7 place_kept_ms   how long his place is kept, when he was waiting
--   8 connect_ms      how long he and a colleague who was asked may take to meet
--   9 offer_id        of the agent who has gone: only as long as it is the call's; empty: whatever it is
--   10 leg_id         whose news it is; empty: not told
-- REPLY
--   ok                and the facts of the call
--   kept              and the facts: the agent has gone while the caller was held, so he goes on
--   again             and the facts: it had ended, or is with another offer
--   gone              it was never heard of
local now_ms, call_id, by, wrap_up_ms = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])
local linger_ms, forget_ms, place_kept_ms, leg_id = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[10]
-- include: base
-- include: moves
-- include: facts
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers
-- include: given
-- include: places
-- include: callbacks
-- include: transfers

local state, offer_id, agent_id, queued_ms, is_open, diverted_to, is_left, queue, caller_ref, is_anonymous,
  answered_ms, held_ms, consult_id, callback, own_leg, tries, first, led, turned_away = read("call", call_id, "state",
  "offer_id", "agent_id", "queued_ms", "is_open", "diverted_to", "is_message_left", "queue", "caller_ref",
  "is_anonymous", "answered_ms", "held_ms", "consult_id", "callback", "leg_id", "tries", "first_queue", "led",
  "turned_away")
if state == "" or state == "ended" then
  if by == "caller" then drop_effect("hang_up:" .. (leg_id == "" and call_id or leg_id)) end
  return about_call(state == "" and "gone" or "again", call_id)
end

-- The end of the line he asked on is not the end of his callback: now he can be rung. Nor is that of one he waits on.
if callback ~= "" and (callback ~= "kept" or (leg_id ~= "" and leg_id ~= own_leg)) then
  local name = "callback:" .. call_id
  if callback == "asked" and state == "resting" then redis.call("ZADD", key("deadlines"), text(now_ms), name) end
  return about_call("again", call_id)
end
if ARGV[9] ~= "" and ARGV[9] ~= offer_id then return about_call("again", call_id) end
if by == "agent" and state == "connected" and held_ms ~= "" then
  keep_held(call_id, agent_id, offer_id, consult_id, wrap_up_ms, tonumber(ARGV[8]))
  return about_call("kept", call_id)
end

local function outcome()
  if callback ~= "" then return "callback" end
  if answered_ms ~= "" then return "answered" end
  if state ~= "messaging" then return state == "menu" and led == "" and "left_in_menu" or "abandoned" end
  if is_left == "1" or diverted_to == "transfer" then return is_left == "1" and "voicemail" or "transferred" end
  if queued_ms == "" then return "left_in_menu" end
  if diverted_to == "callback" then return "callback" end
  if turned_away ~= "" and is_open ~= "1" and diverted_to == "" then return "full" end
  return is_open == "1" and diverted_to == "voicemail" and "abandoned" or "closed"
end

-- He hears goodbye and leaves; unless he came when the agent had gone, and sits alone in the conference.
local function let_go()
  local leg = own_leg == "" and call_id or own_leg
  add_effect("hang_up:" .. leg, effect_json("hang_up", call_id, "", "", leg, "", "", 0), now_ms + linger_ms)
end

drop_consult(call_id, consult_id, "ended")
if state == "connecting" or state == "connected" then end_agent_leg(offer_id, by ~= "agent") end
if state == "connected" and by ~= "caller" then let_go() end
if state == "queued" or state == "offered" or state == "connecting" or (state == "menu" and led ~= "") then
  keep_place(call_id, name_of(caller_ref, is_anonymous), first ~= "" and first or queue, queued_ms, place_kept_ms)
end
stop_waiting(call_id, state, offer_id, agent_id, "ended")
move("call", call_id, "end", "outcome", outcome(), "ended_ms", now_ms, "ended_by", by)
forget_asking(call_id)
if callback ~= "" then let_go_of_customer(call_id, caller_ref) end
redis.call("ZREM", key("live"), call_id)
redis.call("ZADD", key("deadlines"), text(now_ms + forget_ms), "forget:" .. call_id)
local promised = callback ~= "" and { "callback", callback, "tries", tonumber(tries) or 0 } or {}
line("call.ended", call_id, read("call", call_id, "agent_id"), "",
  { "outcome", outcome(), "by", by, "ended_ms", now_ms, unpack(promised) })
if state == "connected" then start_wrap_up(agent_id, call_id, wrap_up_ms) end
return about_call("ok", call_id)
