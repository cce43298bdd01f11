-- extend_wrap_up: an agent takes more time for his notes, once a call.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 agent_id
--   3 by_ms
-- REPLY
--   ok
--   again             extended before
--   gone              never signed in
--   stale:<state>     he is not in wrap-up
local now_ms = tonumber(ARGV[1])
local agent_id, by_ms = ARGV[2], tonumber(ARGV[3])
-- include: base

local state, is_extended, until_ms, call_id = read("agent", agent_id, "state", "is_extended", "wrap_up_until_ms", "call_id")
if state == "" then return { "gone" } end
if state ~= "wrap_up" then return { "stale:" .. state } end
if is_extended == "1" then return { "again" } end
until_ms = tonumber(until_ms) + by_ms
write("agent", agent_id, "wrap_up_until_ms", until_ms, "is_extended", 1)
redis.call("ZADD", key("deadlines"), text(until_ms), "wrap_up:" .. agent_id)
line("agent.wrap_up_extended", call_id, agent_id, "", { "until_ms", until_ms })
return { "ok" }
