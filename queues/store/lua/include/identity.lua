-- Who calls, from the live files of customers; who looks after him; and which notices run in an area.
local function decode(name, id)
  local found = id ~= "" and redis.call("HGET", key(name), id)
  return found and cjson.decode(found) or nil
end

-- A text of a file; what is absent, null or empty is the default.
local function told(file, name, default)
  local value = file[name]
  return type(value) == "string" and value ~= "" and value or default
end

-- The first file that stands under a number: its id, the file, the contact's name, and how many stand behind it.
local function opened_by_number(number_key)
  local entries = {}
  for entry in string.gmatch(redis.call("HGET", key("numbers"), number_key) or "", "[^\n]+") do
    entries[#entries + 1] = entry
  end
  for place, entry in ipairs(entries) do
    local customer_id, contact = string.match(entry, "^([^~]*)~?(.*)$")
    local file = decode("customers", customer_id)
    if file then return customer_id, file, contact, #entries - place end
  end
  return "", nil, "", 0
end

local function person(agent_id)
  local found = decode("people", agent_id) or {}
  for _, leave in ipairs(type(found.leaves) == "table" and found.leaves or {}) do
    if leave.from_ms <= now_ms and now_ms < leave.until_ms then
      return told(found, "name", ""), told(leave, "cover", ""), true
    end
  end
  return told(found, "name", ""), "", false
end

-- Who knows him, one a line: his managers in rank, each in person or his cover; who owns his open ticket; who talked
-- with him last. And the first manager, with his name.
local function known_of(file, ref)
  local lines, first, first_name, told_already = {}, "", "", {}
  local waits = type(file.waits) == "table" and file.waits or {}
  for _, agent_id in ipairs(type(file.managers) == "table" and file.managers or {}) do
    local there, name, cover, is_away = agent_id, person(agent_id)
    if is_away then
      local cover_name, _, is_cover_away = person(cover)
      there, name, is_away = cover, cover_name, is_cover_away
    end
    if there ~= "" and not is_away and not told_already[there] then
      told_already[there] = true
      if #lines == 0 then first, first_name = there, name end
      lines[#lines + 1] = "manager " .. text(tonumber(waits[agent_id]) or 0) .. " 0 " .. there
    end
  end
  if ref ~= "" then
    local owner = redis.call("HGET", key("owners"), ref)
    if owner then lines[#lines + 1] = "first_contact 0 0 " .. owner end
    local met = redis.call("HGET", key("met"), ref)
    if met then lines[#lines + 1] = "last_agent 0 " .. met end
  end
  return table.concat(lines, "\n"), first, first_name
end

local function concerns(areas, area)
  for _, each in ipairs(areas) do
    if each == area then return true end
  end
  return #areas == 0
end

-- The running ones that concern this area, as they are stored: one JSON list, the oldest first.
local function running_notices(area)
  local running, texts = {}, {}
  for _, json in ipairs(redis.call("HVALS", key("notices"))) do
    local notice = cjson.decode(json)
    local ends_ms = tonumber(notice.ends_ms) or 0
    local is_over = ends_ms > 0 and now_ms >= ends_ms
    if notice.starts_ms <= now_ms and not is_over and concerns(notice.areas, area) then
      running[#running + 1] = { notice.starts_ms, notice.id, json }
    end
  end
  table.sort(running, function(one, other)
    if one[1] ~= other[1] then return one[1] < other[1] end
    return one[2] < other[2]
  end)
  for n, each in ipairs(running) do texts[n] = each[3] end
  return #texts > 0 and "[" .. table.concat(texts, ",") .. "]" or ""
end

-- What a call says of its caller, but for tier and locale. No file: nobody. Tells whether he is known, and his area.
local function write_known(call_id, caller_ref, customer_id, file, contact, shared)
  local is_known = file and 1 or 0
  file = file or {}
  local known, manager, manager_name = known_of(file, ref_of(customer_id, caller_ref))
  local area = told(file, "area", "")
  write("call", call_id, "customer_id", customer_id, "customer_name", told(file, "name", ""), "is_known", is_known,
    "area", area, "manager", manager, "manager_name", manager_name, "is_care", file.care == "1" and 1 or 0,
    "contact", contact, "shared", shared, "notices", running_notices(area), "known", known, "never", never_of(file))
  return is_known, area
end
