-- set_presence: what an agent says of himself; at work it is remembered until the work is over.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 agent_id
--   3 presence        ready, away, signed_out
--   4 reason          of being away
-- REPLY
--   ok
--   again             he is, or has wished so
--   later             remembered
--   gone              not signed in
local now_ms = tonumber(ARGV[1])
local agent_id, presence, reason = ARGV[2], ARGV[3], ARGV[4]
-- include: base
-- include: moves
-- include: agents

local state, old_reason, wished = read("agent", agent_id, "state", "reason", "next")
if state == "" or state == "signed_out" then return { "gone" } end
if presence ~= "away" then reason = "" end

if state ~= "away" and state ~= "ready" then
  local wish = presence == "away" and "away:" .. reason or presence
  if wish == "ready" then wish = "" end
  if wish == wished then return { "again" } end
  write("agent", agent_id, "next", wish)
  tell_presence(agent_id)
  return { "later" }
end

if state == presence and old_reason == reason then return { "again" } end
if state == "away" then write("agent", agent_id, "idle_ms", now_ms) end
write("agent", agent_id, "missed", 0)
set_presence(agent_id, presence, reason)
return { "ok" }
