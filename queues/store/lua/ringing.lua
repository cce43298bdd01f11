-- ringing: the agent's phone rings; his time runs from here.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 offer_id
--   3 leg_id          empty: not told
--   4 ring_ms
-- REPLY
--   ok                and the facts of the offer
--   again             and the facts: it rang before, or is beyond
--   gone              the offer has ended, or has another leg
local now_ms = tonumber(ARGV[1])
local offer_id, leg_id, ring_ms = ARGV[2], ARGV[3], tonumber(ARGV[4])
-- include: base
-- include: moves
-- include: facts
-- include: effects
-- include: legs

local state, has, call_id, agent_id = read("offer", offer_id, "state", "leg_id", "call_id", "agent_id")
if has ~= "" and leg_id ~= "" and has ~= leg_id then return about_offer("gone", offer_id) end
if state ~= "claimed" then
  local is_alive = state == "ringing" or state == "answered" or state == "accepted"
  return about_offer(is_alive and "again" or "gone", offer_id)
end
move("offer", offer_id, "ring", "leg_id", has == "" and leg_id or has, "ringing_ms", now_ms)
bind_leg(has == "" and leg_id or has, offer_id)
drop_effect("ring:" .. offer_id)
redis.call("ZADD", key("deadlines"), text(now_ms + ring_ms), "offer:" .. offer_id)
line("offer.ringing", call_id, agent_id, offer_id, {})
return about_offer("ok", offer_id)
