-- take_back_agent: an agent who was lent to a queue has its skills no more, unless they are his own.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 agent_id
--   3 queue
--   4 by
-- REPLY
--   ok
--   again             he is not lent to it
--   gone              not signed in
local now_ms = tonumber(ARGV[1])
local agent_id, queue, by = ARGV[2], ARGV[3], ARGV[4]
-- include: base
-- include: moves
-- include: agents
-- include: lent

local state, lent = read("agent", agent_id, "state", "lent")
if state == "" or state == "signed_out" then return { "gone" } end
if not parse_lent(lent)[queue] then return { "again" } end
line("agent.taken_back", "", agent_id, "", { "queue", queue, "skills", relend(agent_id, queue, nil), "by", by })
return { "ok" }
