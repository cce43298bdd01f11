-- close_wrap_up: the notes are done, or their time is up; what the agent wished happens, else he is ready.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 agent_id
--   3 disposition
--   4 by              agent, deadline
-- REPLY
--   ok
--   early             the deadline lies ahead
--   gone              never signed in
--   stale:<state>     he is not in wrap-up
local now_ms = tonumber(ARGV[1])
local agent_id, disposition, by = ARGV[2], ARGV[3], ARGV[4]
-- include: base
-- include: moves
-- include: agents

local state, call_id, since_ms, until_ms = read("agent", agent_id, "state", "call_id", "since_ms", "wrap_up_until_ms")
if state == "" then return { "gone" } end
if state ~= "wrap_up" then return { "stale:" .. state } end
if by == "deadline" and tonumber(until_ms) > now_ms then return { "early" } end
line("agent.wrap_up_closed", call_id, agent_id, "",
  { "disposition", disposition, "by", by, "wrap_up_ms", now_ms - tonumber(since_ms) })
release(agent_id, now_ms, "")
return { "ok" }
