-- end_consult: the line of a colleague who was asked is down; the call stays with who asked.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 offer_id
--   3 leg_id          which is down; empty: not told
-- REPLY
--   ok                and the facts of the call
--   gone              he is not asked any more, or never was
--   stale:<state>     and the facts: he has not accepted yet, or has another leg
local now_ms = tonumber(ARGV[1])
local offer_id, leg_id = ARGV[2], ARGV[3]
-- include: base
-- include: moves
-- include: facts
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers
-- include: transfers

local state, call_id, has = read("offer", offer_id, "state", "call_id", "leg_id")
if state == "" then return { "gone" } end
if read("call", call_id, "consult_id") ~= offer_id then return about_call("gone", call_id) end
if OPEN[state] or (leg_id ~= "" and has ~= "" and leg_id ~= has) then return about_call("stale:" .. state, call_id) end
drop_consult(call_id, offer_id, "left")
return about_call("ok", call_id)
