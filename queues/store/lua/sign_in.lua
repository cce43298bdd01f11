-- sign_in: an agent's shift begins, or his name, skills or phone are told anew.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 agent_id
--   3 name
--   4 skills          sorted, joined by commas
--   5 endpoint
-- REPLY
--   ok                signed in, and away until he says he is ready
--   again             he was signed in
local now_ms = tonumber(ARGV[1])
local agent_id, name, skills, endpoint = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
-- include: base
-- include: moves
-- include: agents
-- include: lent

redis.call("ZADD", key("beats"), text(now_ms), agent_id)
local state, wished, had, idle_ms, lent = read("agent", agent_id, "state", "next", "skills", "idle_ms", "lent")
if state ~= "" and state ~= "signed_out" then
  local now = with_lent(skills, lent)
  change_skills(agent_id, state, had, now, idle_ms)
  write("agent", agent_id, "next", wished == "signed_out" and "" or wished,
    "name", name, "skills", now, "own", skills, "endpoint", endpoint)
  if had ~= now then line("agent.skills_changed", "", agent_id, "", { "skills", now }) end
  return { "again" }
end
local turn = bump("turns")
redis.call("DEL", key("agent", agent_id))
write("agent", agent_id, "agent_id", agent_id, "name", name, "skills", skills, "own", skills, "endpoint", endpoint,
  "state", "signed_out", "idle_ms", now_ms, "missed", 0, "is_extended", 0, "turn", turn)
redis.call("SADD", key("agents"), agent_id)
move("agent", agent_id, "sign_in", "reason", "signed_in")
line("agent.signed_in", "", agent_id, "", { "skills", skills, "turn", turn })
tell_presence(agent_id)
return { "ok" }
