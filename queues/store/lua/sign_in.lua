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

redis.call("ZADD", key("beats"), text(now_ms), agent_id)
local state, wished, had, idle_ms = read("agent", agent_id, "state", "next", "skills", "idle_ms")
if state ~= "" and state ~= "signed_out" then
  if state == "ready" and had ~= skills then
    leave_pool(agent_id, had)
    enter_pool(agent_id, idle_ms, skills)
    bump("turn")
  end
  write("agent", agent_id, "next", wished == "signed_out" and "" or wished,
    "name", name, "skills", skills, "endpoint", endpoint)
  if had ~= skills then line("agent.skills_changed", "", agent_id, "", { "skills", skills }) end
  return { "again" }
end
local turn = bump("turns")
redis.call("DEL", key("agent", agent_id))
write("agent", agent_id, "agent_id", agent_id, "name", name, "skills", skills, "endpoint", endpoint,
  "state", "signed_out", "idle_ms", now_ms, "missed", 0, "is_extended", 0, "turn", turn)
redis.call("SADD", key("agents"), agent_id)
move("agent", agent_id, "sign_in", "reason", "signed_in")
line("agent.signed_in", "", agent_id, "", { "skills", skills, "turn", turn })
tell_presence(agent_id)
return { "ok" }
