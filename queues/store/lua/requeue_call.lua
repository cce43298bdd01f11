-- requeue_call: connecting failed; the call goes back to its place, the agent is free.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 offer_id
--   4 by              agent (his leg is gone), provider, deadline
--   5 skip_ms
--   6 leg_id          whose news it is; empty: not told
--   7 forget_ms       how long an ended call is remembered
-- REPLY
--   ok                and the facts of the call
--   early             and the facts: the deadline lies ahead
--   gone              it has ended, was never heard of, or the offer has another leg
--   stale:<state>     and the facts: it is not connecting to this offer
local now_ms = tonumber(ARGV[1])
local call_id, offer_id, by, skip_ms = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local forget_ms = tonumber(ARGV[7])
-- include: base
-- include: moves
-- include: facts
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers
-- include: callbacks
-- include: promises

local state, current, agent_id, callback, own_leg =
  read("call", call_id, "state", "offer_id", "agent_id", "callback", "leg_id")
local is_dialled = callback ~= "" and own_leg == ""
if by == "deadline" and is_early("connect:" .. offer_id) then return about_call("early", call_id) end
if is_strange(offer_id, ARGV[6]) then return about_call("gone", call_id) end
if state ~= "connecting" or current ~= offer_id then return refuse_call(call_id, state) end
if is_dialled then
  -- He was not reached: that is a try.
  if by == "deadline" then return refuse_call(call_id, state) end
  end_dial(offer_id, by ~= "agent")
end
end_agent_leg(offer_id, by ~= "agent")
if is_dialled and is_taken_over(call_id) then
  end_callback(call_id, how_it_ends(call_id), forget_ms)
else
  requeue(call_id, "connecting", agent_id, now_ms + skip_ms)
end
release(agent_id, now_ms, "")
return about_call("ok", call_id)
