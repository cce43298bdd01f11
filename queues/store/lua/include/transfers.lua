-- A caller who is put through, or on hold, and the colleague who is asked about him.

-- Nobody is asked about this call any more; who was is free, and not to blame.
local function drop_consult(call_id, consult_id, why)
  if consult_id == "" then return end
  local state, agent_id, leg_id = read("offer", consult_id, "state", "agent_id", "leg_id")
  if OPEN[state] then
    withdraw_offer(consult_id, why)
  else
    hang_up(leg_id, call_id, consult_id, agent_id)
    line("consult.ended", call_id, agent_id, consult_id, { "why", why })
    write("call", call_id, "consult_id", "")
  end
  release(agent_id, nil, "")
end

-- Among the waiting, at the place he has.
local function wait_again(call_id, agent_id, offer_id, why)
  move("call", call_id, "transfer", "offer_id", "", "agent_id", "", "room", "", "position", 0, "held_ms", "",
    "connected_ms", "", "waits_ms", now_ms)
  redis.call("ZADD", key("live"), text(now_ms), call_id)
  local never = refresh_never(call_id)
  enter_lane(call_id)
  local queue, tier, matter, lane_id, lane, queued_ms, named, skips =
    read("call", call_id, "queue", "tier", "matter", "lane_id", "lane", "queued_ms", "named", "skips")
  line("call.transferred", call_id, agent_id, offer_id, { "queue", queue, "tier", tier, "matter", matter,
    "lane", lane_id, "head_start_ms", cjson.decode(lane).head_start_ms, "queued_ms", tonumber(queued_ms),
    "named", named, "never", never, "why", why, "skips", skips, "rules", { json = lane } })
end

local function hold(call_id, agent_id, offer_id, is_held)
  local n = tonumber((read("call", call_id, "holds"))) or 0
  write("call", call_id, "held_ms", is_held and now_ms or "", "holds", n + 1)
  add_effect("hold:" .. call_id .. "-" .. text(n + 1),
    effect_json("hold", call_id, offer_id, agent_id, "", "", "", 0), now_ms)
  line(is_held and "call.held" or "call.retrieved", call_id, agent_id, offer_id, {})
end

-- Caller and colleague come out of the first agent's room and meet in the colleague's.
local function hand_over(call_id, agent_id, offer_id, consult_id, connect_ms, is_there)
  end_agent_leg(offer_id, is_there)
  local colleague_id = read("offer", consult_id, "agent_id")
  move("call", call_id, "hand_over", "offer_id", consult_id, "agent_id", colleague_id, "consult_id", "",
    "held_ms", "", "connected_ms", "", "waits_ms", now_ms)
  redis.call("ZADD", key("live"), text(now_ms), call_id)
  redis.call("ZADD", key("deadlines"), text(now_ms + connect_ms), "connect:" .. consult_id)
  line("call.handed_over", call_id, colleague_id, consult_id, { "from", agent_id })
end

-- A colleague is there.
local function is_asked(consult_id)
  return consult_id ~= "" and read("offer", consult_id, "state") == "accepted"
end

-- The agent's line is down while the caller is held: to the colleague who is there, unless by now those two may not
-- meet; else back to his place.
local function keep_held(call_id, agent_id, offer_id, consult_id, wrap_up_ms, connect_ms)
  local never = refresh_never(call_id)
  if is_asked(consult_id) and not is_never(never, (read("offer", consult_id, "agent_id"))) then
    hand_over(call_id, agent_id, offer_id, consult_id, connect_ms, false)
  else
    drop_consult(call_id, consult_id, "ended")
    end_agent_leg(offer_id, false)
    wait_again(call_id, agent_id, offer_id, "agent_gone")
  end
  start_wrap_up(agent_id, call_id, wrap_up_ms)
end

-- Who has just handed him over hears again; anybody else how the call stands.
local function refuse_transfer(call_id, state, agent_id)
  local agent_state, his = read("agent", agent_id, "state", "call_id")
  local is_over = state == "" or state == "ended"
  if not is_over and agent_state == "wrap_up" and his == call_id then return about_call("again", call_id) end
  return refuse_call(call_id, state)
end
