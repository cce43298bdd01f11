-- transfer_call: an agent puts his caller through to a queue; the place is kept, he himself wraps up.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 agent_id        who talks with the caller
--   4 queue
--   5 lane_id
--   6 lane            the lane's rules, JSON
--   7 head_start_ms
--   8 named           the colleague who is asked first; empty: anybody
--   9 skip_ms         he himself is not asked for so long
--   10 wrap_up_ms
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: he has handed it over and wraps up
--   gone              it has ended, or was never heard of
--   stale:<state>     and the facts: it is not with him
local now_ms = tonumber(ARGV[1])
local call_id, agent_id, queue, lane_id, lane = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local named, skip_ms, wrap_up_ms = ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10])
-- include: base
-- include: moves
-- include: facts
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers
-- include: transfers

local state, current, offer_id, skips, consult_id, old_queue, told = read("call", call_id, "state",
  "agent_id", "offer_id", "skips", "consult_id", "queue", "told")
if state ~= "connected" or current ~= agent_id then return refuse_transfer(call_id, state, agent_id) end
drop_consult(call_id, consult_id, "transferred")
end_agent_leg(offer_id, true)
write("call", call_id, "queue", queue, "lane_id", lane_id, "lane", lane, "named", named, "told", queue == old_queue and told or "",
  "skips", with_skip(skips, now_ms + skip_ms, "transferred", agent_id))
wait_again(call_id, agent_id, offer_id, "passed")
start_wrap_up(agent_id, call_id, wrap_up_ms)
return about_call("ok", call_id)
