-- Who is to be called back is told apart from those on the line; who waits on the line we called is one of these.
local called, promised, in_lane = {}, {}, {}
for _, call_id in ipairs(redis.call("HVALS", key("callbacks"))) do
  local queue, tier, lane_id, state, own_leg = read("call", call_id, "queue", "tier", "lane_id", "state", "leg_id")
  if own_leg == "" then
    called[#called + 1], promised[call_id] = { queue, tier }, true
    if state == "queued" then in_lane[lane_id] = (in_lane[lane_id] or 0) + 1 end
  end
end
