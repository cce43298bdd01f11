-- Places kept for callers who lost their line while they waited: one line a queue, `until queued call queue`.
local function valid_places(caller_ref)
  local places = {}
  for until_ms, queued_ms, call_id, queue in
    string.gmatch(redis.call("HGET", key("places"), caller_ref) or "", "(%d+) (%d+) (%S+) ([^\n]+)") do
    if tonumber(until_ms) > now_ms then
      places[#places + 1] = { until_ms = until_ms, queued_ms = queued_ms, call_id = call_id, queue = queue }
    end
  end
  return places
end

local function erase_places(caller_ref)
  redis.call("HDEL", key("places"), caller_ref)
  redis.call("ZREM", key("deadlines"), "place:" .. caller_ref)
end

local function store_places(caller_ref, places)
  if #places == 0 then return erase_places(caller_ref) end
  local lines, until_ms = {}, 0
  for n, each in ipairs(places) do
    lines[n] = table.concat({ each.until_ms, each.queued_ms, each.call_id, each.queue }, " ")
    until_ms = math.max(until_ms, tonumber(each.until_ms))
  end
  redis.call("HSET", key("places"), caller_ref, table.concat(lines, "\n"))
  redis.call("ZADD", key("deadlines"), text(until_ms), "place:" .. caller_ref)
end

-- Under what something may be kept for him; "": under nothing.
local function name_of(caller_ref, is_anonymous)
  return (is_anonymous == "1" or caller_ref == "withheld") and "" or caller_ref
end

local function keep_place(call_id, caller_ref, queue, queued_ms, kept_ms)
  if kept_ms <= 0 or queued_ms == "" or caller_ref == "" then return end
  local places = {}
  for _, each in ipairs(valid_places(caller_ref)) do
    if each.queue ~= queue then places[#places + 1] = each end
  end
  places[#places + 1] = { until_ms = text(now_ms + kept_ms), queued_ms = queued_ms, call_id = call_id, queue = queue }
  store_places(caller_ref, places)
end

-- The one kept for him in this queue, which is then kept no more; or nil.
local function take_place(caller_ref, queue)
  if caller_ref == "" then return nil end
  local others, found = {}, nil
  for _, each in ipairs(valid_places(caller_ref)) do
    if each.queue == queue and not found then found = each else others[#others + 1] = each end
  end
  if found then store_places(caller_ref, others) end
  return found
end

-- The line ties two calls of one caller together, so it goes when he becomes anonymous.
local function tell_place(call_id, place)
  local line_id = line("call.place_kept", call_id, "", "",
    { "queue", place.queue, "queued_ms", tonumber(place.queued_ms), "of", place.call_id })
  write("call", call_id, "named_in", (read("call", call_id, "named_in")) .. " " .. line_id)
end
