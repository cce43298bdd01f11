-- decline_offer: the agent refuses; the call keeps its place and skips him for a while.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 offer_id
--   3 skip_ms
--   4 leg_id          whose news it is; empty: not told
-- REPLY
--   ok                and the facts of the offer
--   again             and the facts: declined before
--   gone              the offer ended otherwise, has another leg, or was never heard of
--   stale:<state>     and the facts: accepted
local now_ms = tonumber(ARGV[1])
local offer_id, skip_ms = ARGV[2], tonumber(ARGV[3])
-- include: base
-- include: moves
-- include: facts
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers
-- include: skills
-- include: turns

if is_strange(offer_id, ARGV[4]) then return about_offer("gone", offer_id) end
local state = read("offer", offer_id, "state")
if not state_after("offer", "decline", state) then return refuse_end(offer_id, state, "declined") end
take_turn(offer_id)
local call_id, agent_id = end_offer(offer_id, "decline", "offer.declined", {})
requeue(call_id, "declined", agent_id, now_ms + skip_ms)
release(agent_id, now_ms, "")
return about_offer("ok", offer_id)
