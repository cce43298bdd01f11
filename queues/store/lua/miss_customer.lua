-- miss_customer: the customer was not reached: the agent is free, the customer is tried again later, or no more.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 offer_id        of the agent who waited for him
--   3 leg_id          whose news it is; empty: not told
--   4 why             unanswered, unreached, no_key, deadline
--   5 every_ms        until the next try
--   6 tries_max
--   7 forget_ms       how long an ended call is remembered
-- REPLY
--   ok                and the facts of the call
--   early             and the facts: the deadline lies ahead
--   gone              and the facts, if any: it has ended, or another leg rings
--   stale:<state>     and the facts: he is not being rung for this offer
local now_ms = tonumber(ARGV[1])
local offer_id, leg_id, why = ARGV[2], ARGV[3], ARGV[4]
local every_ms, tries_max, forget_ms = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
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
-- include: dials

local call_id, agent_id, customer_leg_id = read_dial(offer_id)
if call_id == "" or is_other_leg(customer_leg_id, leg_id) then return about_dialled("gone", call_id) end
if why == "deadline" and is_early("connect:" .. offer_id) then return about_call("early", call_id) end
local state, current, callback, tries, until_ms, caller_ref =
  read("call", call_id, "state", "offer_id", "callback", "tries", "callback_until_ms", "caller_ref")
if state ~= "connecting" or current ~= offer_id or callback == "" then return refuse_call(call_id, state) end
end_dial(offer_id, true)
tries = (tonumber(tries) or 0) + 1
write("call", call_id, "tries", tries)
line("callback.missed", call_id, agent_id, offer_id, { "why", why, "tries", tries })
let_go_of_customer(call_id, caller_ref)
local again_ms = now_ms + every_ms
if is_taken_over(call_id) then
  end_callback(call_id, "joined", forget_ms)
elseif tries >= tries_max or again_ms >= tonumber(until_ms) then
  end_callback(call_id, "failed", forget_ms)
else
  rest_callback(call_id, state, "missed", again_ms)
end
release(agent_id, now_ms, "")
return about_call("ok", call_id)
