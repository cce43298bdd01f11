-- connect_call: the pulled caller is with the agent who accepted; unless refused, recording is due.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 offer_id
--   4 remembers       1: who talked with whom is kept for when he calls again
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: connected before
--   gone              it has ended, or is not with this offer
local now_ms = tonumber(ARGV[1])
local call_id, offer_id = ARGV[2], ARGV[3]
-- include: base
-- include: moves
-- include: facts
-- include: effects
-- include: met

local state, current, agent_id, record = read("call", call_id, "state", "offer_id", "agent_id", "record")
local queued_ms, entered_ms = read("call", call_id, "queued_ms", "entered_ms")
if current ~= offer_id or (state ~= "connecting" and state ~= "connected") then return about_call("gone", call_id) end
if state == "connected" then return about_call("again", call_id) end
move("call", call_id, "connect", "answered_ms", now_ms)
move("agent", agent_id, "connect")
redis.call("ZADD", key("live"), text(now_ms), call_id)
redis.call("ZREM", key("deadlines"), "connect:" .. offer_id)
drop_effect("pull:" .. offer_id)
if record == "wanted" then
  add_effect("record:" .. call_id, effect_json("record", call_id, offer_id, agent_id, "", "", "", 0), now_ms)
end
if ARGV[4] == "1" then keep_met(ref_of(read("call", call_id, "customer_id", "caller_ref")), agent_id) end
line("call.connected", call_id, agent_id, offer_id,
  { "answered_ms", now_ms, "wait_ms", now_ms - (tonumber(entered_ms) or tonumber(queued_ms)), "recording", record })
return about_call("ok", call_id)
