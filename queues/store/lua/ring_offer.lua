-- ring_offer: the agent's leg has been placed, the ring is done; if nobody needs the leg its hang-up is due.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 offer_id
--   3 leg_id
-- REPLY
--   ok                and the facts of the offer
--   again             and the facts: it has this leg
--   gone              the offer has ended, or has another leg
local now_ms = tonumber(ARGV[1])
local offer_id, leg_id = ARGV[2], ARGV[3]
-- include: base
-- include: facts
-- include: effects
-- include: legs

local state, has, call_id, agent_id = read("offer", offer_id, "state", "leg_id", "call_id", "agent_id")
drop_effect("ring:" .. offer_id)
local is_alive = state == "claimed" or state == "ringing" or state == "answered" or state == "accepted"
if not is_alive or (has ~= "" and leg_id ~= "" and has ~= leg_id) then
  hang_up(leg_id, call_id, state == "" and "" or offer_id, agent_id)
  return about_offer("gone", offer_id)
end
if has ~= "" then return about_offer("again", offer_id) end
write("offer", offer_id, "leg_id", leg_id)
bind_leg(leg_id, offer_id)
return about_offer("ok", offer_id)
