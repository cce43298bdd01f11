-- answer_offer: the agent's leg is up; he is told who is calling.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 offer_id
--   3 leg_id
--   4 whisper_ms      how long he may take to accept
-- REPLY
--   ok                and the facts of the offer
--   again             and the facts: answered or accepted before
--   gone              the offer has ended, or has another leg
local now_ms = tonumber(ARGV[1])
local offer_id, leg_id, whisper_ms = ARGV[2], ARGV[3], tonumber(ARGV[4])
-- include: base
-- include: moves
-- include: facts
-- include: effects
-- include: legs

local state, has, call_id, agent_id = read("offer", offer_id, "state", "leg_id", "call_id", "agent_id")
if has ~= "" and leg_id ~= "" and has ~= leg_id then return about_offer("gone", offer_id) end
if state == "answered" or state == "accepted" then return about_offer("again", offer_id) end
if not state_after("offer", "answer", state) then return about_offer("gone", offer_id) end
move("offer", offer_id, "answer", "leg_id", has == "" and leg_id or has, "answered_ms", now_ms)
bind_leg(has == "" and leg_id or has, offer_id)
drop_effect("ring:" .. offer_id)
redis.call("ZADD", key("deadlines"), text(now_ms + whisper_ms), "offer:" .. offer_id)
line("offer.answered", call_id, agent_id, offer_id, {})
return about_offer("ok", offer_id)
