-- Who is to be called back to a queue that was closed by hand for those who wait: he rests until it is open again.
local function promised_in(queue)
  local mine = {}
  for _, call_id in ipairs(redis.call("HVALS", key("callbacks"))) do
    local his, arrival, state, own_leg, until_ms =
      read("call", call_id, "queue", "arrival", "state", "leg_id", "callback_until_ms")
    if his == queue then
      mine[#mine + 1] =
        { call_id = call_id, arrival = tonumber(arrival), state = state, own_leg = own_leg, until_ms = tonumber(until_ms) }
    end
  end
  table.sort(mine, function(one, other) return one.arrival < other.arrival end)
  return mine
end

local function rest_closed(queue)
  for _, each in ipairs(promised_in(queue)) do
    if each.state == "queued" and each.own_leg == "" then rest_callback(each.call_id, "queued", "closed", each.until_ms) end
  end
end

-- Whoever rests until his promise ends is looked at now.
local function wake_closed(queue)
  for _, each in ipairs(promised_in(queue)) do
    local name = "callback:" .. each.call_id
    if each.state == "resting" and tonumber(redis.call("ZSCORE", key("deadlines"), name)) == each.until_ms then
      redis.call("ZADD", key("deadlines"), text(now_ms), name)
    end
  end
end
