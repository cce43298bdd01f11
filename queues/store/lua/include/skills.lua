-- Whether these skills, joined by commas, meet all of these needs; a name alone is level 1, a need of it any level.
local function can(skills, needs)
  local levels = {}
  for skill in string.gmatch(skills, "[^,]+") do
    local name, level = string.match(skill, "^([^:]*):?(%d?)$")
    if name then levels[name] = math.max(levels[name] or 0, tonumber(level) or 1) end
  end
  for _, need in ipairs(needs) do
    local name, level = string.match(need, "^([^:]*):?(%d?)$")
    if not name or (levels[name] or -1) < (tonumber(level) or 0) then return false end
  end
  return true
end
