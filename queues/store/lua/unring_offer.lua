-- unring_offer: the phone never rang, or its line failed; not the agent's fault, and the place is kept.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 offer_id
--   3 skip_ms
--   4 leg_id          whose news it is; empty: not told
-- REPLY
--   ok                and the facts of the offer
--   again             and the facts: unrung before
--   gone              the offer ended otherwise, has another leg, or was never heard of
--   stale:<state>     and the facts: answered or accepted
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

if is_strange(offer_id, ARGV[4]) then return about_offer("gone", offer_id) end
local state = read("offer", offer_id, "state")
if not state_after("offer", "unring", state) then return refuse_end(offer_id, state, "unrung") end
local call_id, agent_id = end_offer(offer_id, "unring", "offer.unrung", {})
requeue(call_id, "unrung", agent_id, now_ms + skip_ms)
release(agent_id, now_ms, "")
return about_offer("ok", offer_id)
