-- A call enters its lane at the place of its queued_ms, and leaves it.
local function lane_member(call_id)
  local arrival, lane_id, lane, queued_ms = read("call", call_id, "arrival", "lane_id", "lane", "queued_ms")
  return string.format("%012d:%s", tonumber(arrival), call_id), lane_id, lane, queued_ms
end

local function enter_lane(call_id)
  local member, lane_id, lane, queued_ms = lane_member(call_id)
  redis.call("ZADD", key("lane", lane_id), queued_ms, member)
  redis.call("HSET", key("lanes"), lane_id, lane)
  bump("turn")
end

local function leave_lane(call_id)
  local member, lane_id = lane_member(call_id)
  redis.call("ZREM", key("lane", lane_id), member)
  if redis.call("EXISTS", key("lane", lane_id)) == 0 then redis.call("HDEL", key("lanes"), lane_id) end
end
