-- expire_offer: nobody answered the ringing, or accepted after the whisper (RONA); the place is kept.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 offer_id
--   3 by              provider (counts before the answer), deadline (counts after the ring)
--   4 skip_ms
--   5 missed_max      so many in a row, and the agent is away
--   6 leg_id          whose news it is; empty: not told
-- REPLY
--   ok                and the facts of the offer
--   again             and the facts: expired before
--   early             and the facts: the deadline lies ahead
--   gone              the offer ended otherwise, has another leg, or was never heard of
--   stale:<state>     and the facts
local now_ms = tonumber(ARGV[1])
local offer_id, by, skip_ms, missed_max = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
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

local COUNTS = { provider = { claimed = true, ringing = true }, deadline = { ringing = true, answered = true } }

if is_strange(offer_id, ARGV[6]) then return about_offer("gone", offer_id) end
local state = read("offer", offer_id, "state")
if by == "deadline" and is_early("offer:" .. offer_id) then return about_offer("early", offer_id) end
if not COUNTS[by][state] then return refuse_end(offer_id, state, "expired") end
take_turn(offer_id)
local call_id, agent_id = end_offer(offer_id, "expire", "offer.expired", { "by", by })
requeue(call_id, "missed", agent_id, now_ms + skip_ms)
local missed = tonumber(read("agent", agent_id, "missed")) + 1
local is_away = missed >= missed_max
write("agent", agent_id, "missed", is_away and 0 or missed)
release(agent_id, now_ms, is_away and "missed" or "")
return about_offer("ok", offer_id)
