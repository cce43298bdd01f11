-- place_customer: the phone of a customer who is called back rings, or was answered before anybody told that.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 offer_id        of the agent who waits for him
--   3 leg_id
--   4 is_up           1: he has answered, and whoever tells this has words for him
-- REPLY
--   ok                and the facts of the call
--   again             and the facts
--   gone              and the facts, if any: nobody waits for him any more, or another leg rings
local now_ms = tonumber(ARGV[1])
local offer_id, leg_id, is_up = ARGV[2], ARGV[3], ARGV[4] == "1"
-- include: base
-- include: facts
-- include: effects
-- include: legs
-- include: dials

local call_id, agent_id, customer_leg_id, _, is_dialled = read_dial(offer_id)
drop_effect("dial:" .. offer_id)
if is_on(call_id, leg_id) then return about_call("again", call_id) end
if not is_dialled or is_other_leg(customer_leg_id, leg_id) then
  if not is_up then hang_up(leg_id, call_id, call_id == "" and "" or offer_id, agent_id) end
  return about_dialled("gone", call_id)
end
if customer_leg_id ~= "" then return about_call("again", call_id) end
bind_customer(offer_id, leg_id)
line("callback.dialled", call_id, agent_id, offer_id, {})
return about_call("ok", call_id)
