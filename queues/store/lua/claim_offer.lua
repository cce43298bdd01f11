-- claim_offer: hold one waiting call for one ready agent; the due ring is leased to who claims.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 agent_id
--   4 turn            of the snapshot that was decided on
--   5 place_ms        how long the phone may take until it rings
--   6 lease_ms        how long the ring belongs to the claimer
--   7 why             JSON
--   8 is_turn         1: it is his turn in a rotation
--   9 hold_ms         how long a callback rests whose customer is being called by another one
--   10 dial_ms        the customer of a callback is called first, and may take so long; 0: the agent is
-- REPLY
--   ok                then offer_id, effect_id, the effect as JSON
--   called            then offer_id: the customer is rung, nobody is held
--   stale:<state>     the call or the agent is in another state
--   stale:turn        something was enqueued, readied or claimed since
local now_ms = tonumber(ARGV[1])
local call_id, agent_id, turn = ARGV[2], ARGV[3], ARGV[4]
local place_ms, lease_ms, why, hold_ms = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[9])
-- include: base
-- include: moves
-- include: lanes
-- include: effects
-- include: agents
-- include: callbacks

local state, offers, dialled, callback, caller_ref, own_leg =
  read("call", call_id, "state", "offers", "line", "callback", "caller_ref", "leg_id")
if state ~= "queued" then return { "stale:" .. (state == "" and "ended" or state) } end
local agent_state, skills, endpoint = read("agent", agent_id, "state", "skills", "endpoint")
if agent_state ~= "ready" then return { "stale:" .. (agent_state == "" and "signed_out" or agent_state) } end
if turn ~= (redis.call("GET", key("turn")) or "0") then return { "stale:turn" } end
local offer_id = call_id .. "-" .. text(tonumber(offers) + 1)
if callback ~= "" and own_leg == "" then
  if (redis.call("HGET", key("dialling"), caller_ref) or call_id) ~= call_id then
    rest_callback(call_id, state, "engaged", now_ms + hold_ms)
    return { "stale:resting" }
  end
  redis.call("HSET", key("dialling"), caller_ref, call_id)
  local dial_ms = tonumber(ARGV[10])
  if dial_ms > 0 then
    leave_lane(call_id)
    move("call", call_id, "call", "offers", tonumber(offers) + 1, "offer_id", offer_id)
    write("offer", offer_id, "offer_id", offer_id, "call_id", call_id, "state", "accepted", "claimed_ms", now_ms,
      "is_turn", 0, "why", why)
    bump("turn")
    redis.call("ZADD", key("deadlines"), text(now_ms + dial_ms), "connect:" .. offer_id)
    add_effect("dial:" .. offer_id, effect_json("dial", call_id, offer_id, "", "", "", dialled, 0), now_ms)
    line("callback.called", call_id, "", offer_id, { "why", { json = why } })
    return { "called", offer_id }
  end
end

leave_lane(call_id)
move("call", call_id, "offer", "offers", tonumber(offers) + 1, "offer_id", offer_id, "agent_id", agent_id)
leave_pool(agent_id, skills)
move("agent", agent_id, "offer", "call_id", call_id, "offer_id", offer_id)
write("offer", offer_id, "offer_id", offer_id, "call_id", call_id, "agent_id", agent_id, "state", "claimed",
  "claimed_ms", now_ms, "is_turn", ARGV[8], "why", why)
bump("turn")
redis.call("ZADD", key("deadlines"), text(now_ms + place_ms), "offer:" .. offer_id)
local effect_id = "ring:" .. offer_id
local effect = effect_json("ring", call_id, offer_id, agent_id, "", endpoint, dialled, 1)
add_effect(effect_id, effect, now_ms + lease_ms)
line("call.offered", call_id, agent_id, offer_id, { "why", { json = why } })
return { "ok", offer_id, effect_id, effect }
