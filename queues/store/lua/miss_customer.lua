-- miss_customer: the customer was not reached: the agent is free, the customer is tried again later, or no more.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 offer_id        of the agent who waited for him, or of this try; empty: the one that the leg was placed for
--   3 leg_id          whose news it is; empty: not told
--   4 why             unanswered, unreached, no_key, deadline; of who waited on the line it is `left`
--   5 every_ms        until the next try
--   6 tries_max
--   7 forget_ms       how long an ended call is remembered
-- REPLY
--   ok                and the facts of the call
--   early             and the facts: the deadline lies ahead
--   gone              and the facts, if any: it has ended, or another leg rings
--   stale:<state>     and the facts: he is not being rung for this offer, and does not wait on this leg
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
-- include: legs
-- include: dials

-- Away from the line on which he waited, and from the agent who was about to take him.
local function leave_line(call_id, state, held_by)
  if state == "queued" then
    leave_lane(call_id)
  elseif state == "offered" then
    withdraw_offer(held_by, "left")
  else
    end_agent_leg(held_by, true)
  end
  redis.call("ZREM", key("live"), call_id)
  move("call", call_id, "rest", "offer_id", "", "agent_id", "", "leg_id", "")
end

if offer_id == "" then
  offer_id = string.match(redis.call("HGET", key("legs"), leg_id) or "", "^customer:(.+)$") or ""
end
local call_id, _, customer_leg_id, _, is_dialled = read_dial(offer_id)
if call_id == "" or is_other_leg(customer_leg_id, leg_id) then return about_dialled("gone", call_id) end
if why == "deadline" and is_early("connect:" .. offer_id) then return about_call("early", call_id) end
local state, held_by, agent_id, callback, tries, until_ms, caller_ref =
  read("call", call_id, "state", "offer_id", "agent_id", "callback", "tries", "callback_until_ms", "caller_ref")
local has_waited = has_promise(callback) and is_on(call_id, leg_id)
if not has_waited and (not is_dialled or state == "connected") then return refuse_call(call_id, state) end
-- Nobody was there to place his leg: no try, and looked at again at once.
local is_try = why ~= "deadline" or customer_leg_id ~= ""
if not is_try then every_ms, why = 0, "unrung" end
if has_waited then
  leave_line(call_id, state, held_by)
  state, why = "resting", "left"
else
  end_dial(offer_id, true)
end
tries = (tonumber(tries) or 0) + (is_try and 1 or 0)
write("call", call_id, "tries", tries)
line("callback.missed", call_id, agent_id, held_by == "" and offer_id or held_by, { "why", why, "tries", tries })
let_go_of_customer(call_id, caller_ref)
local again_ms = now_ms + every_ms
if is_taken_over(call_id) then
  end_callback(call_id, how_it_ends(call_id), forget_ms)
elseif tries >= tries_max or again_ms >= tonumber(until_ms) then
  end_callback(call_id, "failed", forget_ms)
else
  rest_callback(call_id, state, "missed", again_ms)
end
-- Whose caller has left is not to blame: his idle time runs on.
if agent_id ~= "" then release(agent_id, not has_waited and now_ms or nil, "") end
return about_call("ok", call_id)
