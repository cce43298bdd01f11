-- consult_agent: the caller is held and a ready colleague is reserved and rung, to be asked about him.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 agent_id        who talks with the caller
--   4 colleague_id
--   5 place_ms        how long the colleague's phone may take until it rings
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: he is being asked
--   gone              it has ended, or was never heard of
--   never             and the facts: those two may not meet
--   stale:<state>     and the facts: it is not with him, the colleague is not ready, or another is being asked
local now_ms = tonumber(ARGV[1])
local call_id, agent_id, colleague_id, place_ms = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
-- include: base
-- include: moves
-- include: facts
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers
-- include: transfers

local state, current, offer_id, held_ms, consult_id, offers, dialled =
  read("call", call_id, "state", "agent_id", "offer_id", "held_ms", "consult_id", "offers", "line")
if state ~= "connected" or current ~= agent_id then return refuse_call(call_id, state) end
if consult_id ~= "" then
  local is_same = read("offer", consult_id, "agent_id") == colleague_id
  return about_call(is_same and "again" or "stale:consulting", call_id)
end
if is_never(refresh_never(call_id), colleague_id) then return about_call("never", call_id) end
local does, skills, endpoint = read("agent", colleague_id, "state", "skills", "endpoint")
if does ~= "ready" then return about_call("stale:" .. (does == "" and "signed_out" or does), call_id) end
if held_ms == "" then hold(call_id, agent_id, offer_id, true) end
local n = tonumber(offers) + 1
consult_id = call_id .. "-" .. n
write("call", call_id, "offers", n, "consult_id", consult_id)
leave_pool(colleague_id, skills)
move("agent", colleague_id, "offer", "call_id", call_id, "offer_id", consult_id)
bump("turn")
write("offer", consult_id, "offer_id", consult_id, "call_id", call_id, "agent_id", colleague_id, "state", "claimed",
  "claimed_ms", now_ms, "is_turn", 0, "why", "{}", "asked_by", agent_id)
redis.call("ZADD", key("deadlines"), text(now_ms + place_ms), "offer:" .. consult_id)
add_effect("ring:" .. consult_id,
  effect_json("ring", call_id, consult_id, colleague_id, "", endpoint, dialled, 0), now_ms)
line("call.consulted", call_id, colleague_id, consult_id, { "asked_by", agent_id })
return about_call("ok", call_id)
