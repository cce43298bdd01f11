-- Whom a caller is never brought together with.
local function never_of(file)
  local never = type(file.never) == "table" and file.never or {}
  table.sort(never)
  return table.concat(never, ",")
end

-- By his file as it is now: it may have changed since the call began. Without a file it stays as it was.
-- Whoever has read the call already says what it found.
local function refresh_never(call_id, customer_id, never)
  if not customer_id then customer_id, never = read("call", call_id, "customer_id", "never") end
  local found = customer_id ~= "" and redis.call("HGET", key("customers"), customer_id)
  if not found then return never end
  local now = never_of(cjson.decode(found))
  if now ~= never then write("call", call_id, "never", now) end
  return now
end

local function is_never(never, agent_id)
  return string.find("," .. never .. ",", "," .. agent_id .. ",", 1, true) ~= nil
end
