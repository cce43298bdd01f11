-- lend_agent: a supervisor signs an agent into a queue: he has its skills until he signs out or is taken back.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 agent_id
--   3 queue
--   4 skills          of the queue: sorted, joined by commas
--   5 by
-- REPLY
--   ok
--   again             he is lent to it
--   gone              not signed in
local now_ms = tonumber(ARGV[1])
local agent_id, queue, skills, by = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
-- include: base
-- include: moves
-- include: agents
-- include: lent

local state, lent = read("agent", agent_id, "state", "lent")
if state == "" or state == "signed_out" then return { "gone" } end
if parse_lent(lent)[queue] == skills then return { "again" } end
line("agent.lent", "", agent_id, "", { "queue", queue, "skills", relend(agent_id, queue, skills), "by", by })
return { "ok" }
