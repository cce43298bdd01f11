-- forget_call: an ended call and its offers leave the live store; SQL has them.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
-- REPLY
--   ok
--   again             it was never heard of
--   stale:<state>     it has not ended
local now_ms = tonumber(ARGV[1])
local call_id = ARGV[2]
-- include: base

redis.call("ZREM", key("deadlines"), "forget:" .. call_id)
local state, offers = read("call", call_id, "state", "offers")
if state == "" then return { "again" } end
if state ~= "ended" then return { "stale:" .. state } end
for n = 1, tonumber(offers) do
  local offer_id = call_id .. "-" .. n
  redis.call("HDEL", key("legs"), read("offer", offer_id, "leg_id", "customer_leg_id"))
  redis.call("DEL", key("offer", offer_id))
end
redis.call("DEL", key("call", call_id))
return { "ok" }
