-- lose_agent: his desk fell silent while others were heard; he is away, what he held goes back to its place.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 agent_id
--   3 silent_ms       silent for longer, while another was not: lost
-- REPLY
--   ok
--   again             he was heard, or lost before, or nobody was heard
--   gone              not signed in
local now_ms = tonumber(ARGV[1])
local agent_id, silent_ms = ARGV[2], tonumber(ARGV[3])
-- include: base
-- include: moves
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers

local state, offer_id, wished = read("agent", agent_id, "state", "offer_id", "next")
if state == "" or state == "signed_out" then return { "gone" } end
local since_ms = now_ms - silent_ms
local heard_ms = redis.call("ZSCORE", key("beats"), agent_id)
local last = redis.call("ZREVRANGE", key("beats"), 0, 0, "WITHSCORES")
if not heard_ms or tonumber(heard_ms) > since_ms or tonumber(last[2]) <= since_ms then return { "again" } end

redis.call("ZREM", key("beats"), agent_id)
if state == "offered" then
  local call_id = withdraw_offer(offer_id, "lost")
  requeue(call_id, "lost", "", 0)
  release(agent_id, nil, "lost")
elseif state == "away" or state == "ready" then
  set_presence(agent_id, "away", "lost")
elseif wished ~= "signed_out" then
  write("agent", agent_id, "next", "away:lost")
  tell_presence(agent_id)
end
return { "ok" }
