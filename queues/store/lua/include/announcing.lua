-- What is told to a caller who waits: the rules of domain.announcing.
local SLACK_MS = 5000

local function numbers_of(words)
  local found = {}
  for word in string.gmatch(words, "%S+") do found[#found + 1] = tonumber(word) end
  return found
end

-- How long it takes so deep in the lane, in seconds; nothing is known: 0, 0.
local function range_at(lane_id, depth, fresh_ms)
  local words = redis.call("HGET", key("estimates"), lane_id)
  if not words then return 0, 0 end
  if now_ms - tonumber(string.match(words, "^%d+")) > fresh_ms then return 0, 0 end
  for deepest, low_s, high_s in string.gmatch(words, "(%d+):(%d+):(%d+)") do
    if depth <= tonumber(deepest) then return tonumber(low_s), tonumber(high_s) end
  end
  return 0, 0
end

-- Its number in the lane, 1 for the head; 0: it is in none.
local function depth_of(call_id, arrival, lane_id)
  local member = string.format("%012d:%s", tonumber(arrival), call_id)
  return (redis.call("ZRANK", key("lane", lane_id), member) or -1) + 1
end

local function announce(call_id, position, told, round_no, first_ms, every_ms, fresh_ms)
  local queue, tier, arrival, lane_id, entered_ms = read("call", call_id, "queue", "tier", "arrival", "lane_id", "entered_ms")
  local before = numbers_of(told)
  local due_ms = before[2] and before[2] + every_ms or (tonumber(entered_ms) or 0) + first_ms
  if now_ms + SLACK_MS < due_ms then return told end
  local depth, low_s, high_s = depth_of(call_id, arrival, lane_id), 0, 0
  if depth > 0 then low_s, high_s = range_at(lane_id, depth, fresh_ms) end
  local least_s = before[6] or 0
  if least_s > 0 and high_s > least_s then low_s, high_s = 0, 0 end
  line("call.told", call_id, "", "",
    { "queue", queue, "tier", tier, "position", position, "low_s", low_s, "high_s", high_s })
  if high_s > 0 then least_s = high_s end
  local now = { round_no, now_ms, position, low_s, high_s, least_s }
  for n = 1, #now do now[n] = text(now[n]) end
  return table.concat(now, " ")
end
