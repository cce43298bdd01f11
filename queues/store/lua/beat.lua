-- beat: an agent's desk is there.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 agent_id
-- REPLY
--   ok
--   gone              not signed in
local now_ms = tonumber(ARGV[1])
local agent_id = ARGV[2]
-- include: base

local state = read("agent", agent_id, "state")
if state == "" or state == "signed_out" then return { "gone" } end
redis.call("ZADD", key("beats"), text(now_ms), agent_id)
return { "ok" }
