-- An agent's skills with those of the queues he is lent to: `lent` has one queue a line, its name, then its skills.
local function parse_lent(lent)
  local found = {}
  for queue, skills in string.gmatch(lent, "(%S+) ([^\n]*)") do found[queue] = skills end
  return found
end

local function with_lent(own, lent)
  local names, both = {}, {}
  local function add(skills)
    for skill in string.gmatch(skills, "[^,]+") do
      if not names[skill] then
        names[skill] = true
        both[#both + 1] = skill
      end
    end
  end
  add(own)
  for _, skills in pairs(parse_lent(lent)) do add(skills) end
  table.sort(both)
  return table.concat(both, ",")
end

-- Who is ready changes his pool with his skills.
local function change_skills(agent_id, state, had, skills, idle_ms)
  if state ~= "ready" or had == skills then return end
  leave_pool(agent_id, had)
  enter_pool(agent_id, idle_ms, skills)
  bump("turn")
end

-- skills nil: taken back from the queue. The whole of his skills from now on.
local function relend(agent_id, queue, skills)
  local state, had, own, lent, idle_ms = read("agent", agent_id, "state", "skills", "own", "lent", "idle_ms")
  if own == "" and lent == "" then own = had end -- of a shift that began before this was kept
  local found, queues, lines = parse_lent(lent), {}, {}
  found[queue] = skills
  for name in pairs(found) do queues[#queues + 1] = name end
  table.sort(queues)
  for n, name in ipairs(queues) do lines[n] = name .. " " .. found[name] end
  lent = table.concat(lines, "\n")
  local now = with_lent(own, lent)
  change_skills(agent_id, state, had, now, idle_ms)
  write("agent", agent_id, "own", own, "lent", lent, "skills", now)
  return now
end
