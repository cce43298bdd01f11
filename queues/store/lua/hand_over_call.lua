-- hand_over_call: the colleague who was asked takes the caller; who asked him wraps up.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 agent_id        who talked with the caller
--   4 wrap_up_ms
--   5 connect_ms      how long caller and colleague may take to meet
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: he has handed it over and wraps up
--   gone              it has ended, or was never heard of
--   never             and the facts: by now those two may not meet
--   stale:<state>     and the facts: it is not with him, or no colleague is there
local now_ms = tonumber(ARGV[1])
local call_id, agent_id, wrap_up_ms, connect_ms = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
-- include: base
-- include: moves
-- include: facts
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers
-- include: transfers

local state, current, offer_id, consult_id = read("call", call_id, "state", "agent_id", "offer_id", "consult_id")
if state ~= "connected" or current ~= agent_id then return refuse_transfer(call_id, state, agent_id) end
if not is_asked(consult_id) then return about_call("stale:connected", call_id) end
local colleague_id = read("offer", consult_id, "agent_id")
if is_never(refresh_never(call_id), colleague_id) then return about_call("never", call_id) end
hand_over(call_id, agent_id, offer_id, consult_id, connect_ms, true)
start_wrap_up(agent_id, call_id, wrap_up_ms)
return about_call("ok", call_id)
