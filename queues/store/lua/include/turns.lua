-- Turns in a rotation.
local function next_turn(call_id, agent_id, type_)
  local turn = bump("turns")
  write("agent", agent_id, "turn", turn)
  line(type_, call_id, agent_id, "", { "turn", turn })
end

-- He has had his turn. Whoever was before him, is able and was away by his own wish has lost his; whoever was at work
-- keeps it.
local function take_turn(offer_id)
  local is_turn, agent_id, call_id = read("offer", offer_id, "is_turn", "agent_id", "call_id")
  if is_turn ~= "1" then return end
  local had = tonumber((read("agent", agent_id, "turn"))) or 0
  next_turn(call_id, agent_id, "agent.turn_taken")
  local needs, passed = cjson.decode((read("call", call_id, "lane"))).needs, {}
  for _, other in ipairs(redis.call("SMEMBERS", key("agents"))) do
    local state, turn, skills = read("agent", other, "state", "turn", "skills")
    local at = tonumber(turn) or 0
    if state == "away" and at < had and can(skills, needs) then passed[#passed + 1] = { at, other } end
  end
  table.sort(passed, function(one, another)
    if one[1] ~= another[1] then return one[1] < another[1] end
    return one[2] < another[2]
  end)
  for _, each in ipairs(passed) do next_turn(call_id, each[2], "agent.turn_lost") end
end
