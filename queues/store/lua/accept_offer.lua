-- accept_offer: the agent takes the call; the pull of exactly this caller is due.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 offer_id
--   3 leg_id
--   4 connect_ms      how long the pull may take
--   5 dial_ms         how long it may take to reach a customer who is called back
-- REPLY
--   ok                and the facts of the offer
--   again             and the facts: accepted, and the call is still with him
--   gone              the offer has ended, or has another leg
local now_ms = tonumber(ARGV[1])
local offer_id, leg_id, connect_ms, dial_ms = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
-- include: base
-- include: moves
-- include: facts
-- include: effects
-- include: legs

local state, has, call_id, agent_id, asked_by =
  read("offer", offer_id, "state", "leg_id", "call_id", "agent_id", "asked_by")
if has ~= "" and leg_id ~= "" and has ~= leg_id then return about_offer("gone", offer_id) end
if not state_after("offer", "accept", state) then
  local call_state, current, consult_id = read("call", call_id, "state", "offer_id", "consult_id")
  if consult_id == offer_id and state == "accepted" then return about_offer("again", offer_id) end
  local is_under_way = call_state == "connecting" or call_state == "connected"
  local is_his = state == "accepted" and is_under_way and current == offer_id
  return about_offer(is_his and "again" or "gone", offer_id)
end
move("offer", offer_id, "accept", "leg_id", has == "" and leg_id or has, "ended_ms", now_ms)
bind_leg(has == "" and leg_id or has, offer_id)
if asked_by == "" then move("call", call_id, "accept") end
move("agent", agent_id, "accept", "missed", 0)
redis.call("ZREM", key("deadlines"), "offer:" .. offer_id)
drop_effect("ring:" .. offer_id)
if asked_by ~= "" then
  line("offer.accepted", call_id, agent_id, offer_id, {})
  return about_offer("ok", offer_id)
end
local callback, dialled, own_leg = read("call", call_id, "callback", "line", "leg_id")
local is_called = callback ~= "" and own_leg == ""
redis.call("ZADD", key("deadlines"), text(now_ms + (is_called and dial_ms or connect_ms)), "connect:" .. offer_id)
local kind = is_called and "dial" or "pull"
add_effect(kind .. ":" .. offer_id,
  effect_json(kind, call_id, offer_id, agent_id, own_leg, "", is_called and dialled or "", 0), now_ms)
line("offer.accepted", call_id, agent_id, offer_id, {})
line("call.connecting", call_id, agent_id, offer_id, {})
return about_offer("ok", offer_id)
