-- A caller who is put through waits again, at the place he has.
local function wait_again(call_id)
  move("call", call_id, "transfer", "offer_id", "", "agent_id", "", "room", "", "connected_ms", "", "waits_ms", now_ms)
  redis.call("ZADD", key("live"), text(now_ms), call_id)
  enter_lane(call_id)
end

-- Who has just handed him over hears again; anybody else how the call stands.
local function refuse_transfer(call_id, state, agent_id)
  local agent_state, his = read("agent", agent_id, "state", "call_id")
  local is_over = state == "" or state == "ended"
  if not is_over and agent_state == "wrap_up" and his == call_id then return about_call("again", call_id) end
  return refuse_call(call_id, state)
end
