-- So many wait in the queue already, those included who are to be called back. Danger is never turned away. Tells it.
local function is_full(call_id, queue, lane, waiting_max)
  if waiting_max == 0 or cjson.decode(lane).is_safety then return false end
  local prefix, waiting = queue .. "|", 0
  for _, lane_id in ipairs(redis.call("HKEYS", key("lanes"))) do
    if string.sub(lane_id, 1, #prefix) == prefix then waiting = waiting + redis.call("ZCARD", key("lane", lane_id)) end
  end
  if waiting < waiting_max then return false end
  if read("call", call_id, "turned_away") ~= queue then
    write("call", call_id, "turned_away", queue)
    line("call.turned_away", call_id, "", "", { "queue", queue, "waiting", waiting, "max", waiting_max })
  end
  return true
end
