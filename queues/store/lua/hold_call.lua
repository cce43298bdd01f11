-- hold_call: an agent puts his caller on hold, or comes back to him and lets go who was asked meanwhile.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 agent_id        who talks with the caller
--   4 is_held         0: back to the caller
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: he is
--   gone              it has ended, or was never heard of
--   stale:<state>     and the facts: it is not with him
local now_ms = tonumber(ARGV[1])
local call_id, agent_id, is_held = ARGV[2], ARGV[3], ARGV[4] == "1"
-- include: base
-- include: moves
-- include: facts
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers
-- include: transfers

local state, current, offer_id, held_ms, consult_id =
  read("call", call_id, "state", "agent_id", "offer_id", "held_ms", "consult_id")
if state ~= "connected" or current ~= agent_id then return refuse_call(call_id, state) end
if (held_ms ~= "") == is_held then return about_call("again", call_id) end
if not is_held then drop_consult(call_id, consult_id, "back") end
hold(call_id, agent_id, offer_id, is_held)
return about_call("ok", call_id)
