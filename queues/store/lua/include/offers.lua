-- How an offer ends unaccepted, and how its call goes back to its place.
local OPEN = { claimed = true, ringing = true, answered = true }

local function end_offer(offer_id, event, type_, data)
  local call_id, agent_id, leg_id, asked_by = read("offer", offer_id, "call_id", "agent_id", "leg_id", "asked_by")
  move("offer", offer_id, event, "ended_ms", now_ms)
  redis.call("ZREM", key("deadlines"), "offer:" .. offer_id)
  drop_effect("ring:" .. offer_id)
  hang_up(leg_id, call_id, offer_id, agent_id)
  line(type_, call_id, agent_id, offer_id, data)
  if asked_by ~= "" then
    write("call", call_id, "consult_id", "")
  else
    write("call", call_id, "offer_id", "", "agent_id", "")
  end
  return call_id, agent_id
end

local function withdraw_offer(offer_id, why)
  return end_offer(offer_id, "withdraw", "offer.withdrawn", { "why", why })
end

-- The stored skips with one more; what has lapsed or is replaced is dropped.
local function with_skip(skips, until_ms, why, agent_id)
  local kept = {}
  for old_until, old_why, old_agent in string.gmatch(skips, "(%d+) (%S+) ([^\n]+)") do
    if tonumber(old_until) > now_ms and old_agent ~= agent_id then
      kept[#kept + 1] = old_until .. " " .. old_why .. " " .. old_agent
    end
  end
  kept[#kept + 1] = text(until_ms) .. " " .. why .. " " .. agent_id
  return table.concat(kept, "\n")
end

-- skip_agent_id "" : nobody is skipped. A call about which a colleague was only asked stays where it is.
local function requeue(call_id, why, skip_agent_id, skip_until_ms)
  local state, skips, queued_ms, callback, caller_ref, own_leg =
    read("call", call_id, "state", "skips", "queued_ms", "callback", "caller_ref", "leg_id")
  if state == "connected" then return end
  if skip_agent_id ~= "" then skips = with_skip(skips, skip_until_ms, why, skip_agent_id) end
  move("call", call_id, "requeue", "offer_id", "", "agent_id", "", "room", "", "skips", skips)
  if callback ~= "" and own_leg == "" then
    if redis.call("HGET", key("dialling"), caller_ref) == call_id then redis.call("HDEL", key("dialling"), caller_ref) end
    -- Its queue may be closed by now, or the hours in which we call over: it is looked at before anybody has it.
    redis.call("ZADD", key("deadlines"), text(now_ms), "callback:" .. call_id)
  end
  local never = refresh_never(call_id)
  enter_lane(call_id)
  line("call.requeued", call_id, "", "", { "queued_ms", tonumber(queued_ms), "why", why, "skips", skips,
    "never", never })
end

-- News of a leg that is not the offer's own (a second one, placed because an answer was lost).
local function is_strange(offer_id, leg_id)
  local has = read("offer", offer_id, "leg_id")
  return leg_id ~= "" and has ~= "" and has ~= leg_id
end

-- What an offer's second end hears.
local function refuse_end(offer_id, state, done)
  if state == done then return about_offer("again", offer_id) end
  local is_alive = OPEN[state] or state == "accepted"
  return about_offer(is_alive and "stale:" .. state or "gone", offer_id)
end

local function is_early(deadline)
  return tonumber(redis.call("ZSCORE", key("deadlines"), deadline) or 0) > now_ms
end

-- The agent's leg of a call that is connecting or connected.
local function end_agent_leg(offer_id, is_there)
  local call_id, agent_id, leg_id = read("offer", offer_id, "call_id", "agent_id", "leg_id")
  redis.call("ZREM", key("deadlines"), "connect:" .. offer_id)
  drop_effect("pull:" .. offer_id)
  if is_there then hang_up(leg_id, call_id, offer_id, agent_id) end
end

-- Out of the lane, or away from the agent, who is not to blame.
local function stop_waiting(call_id, state, offer_id, agent_id, why)
  if state == "queued" then
    leave_lane(call_id)
  elseif state == "offered" then
    withdraw_offer(offer_id, why)
    release(agent_id, nil, "")
  elseif state == "connecting" then
    write("call", call_id, "offer_id", "", "agent_id", "")
    release(agent_id, nil, "")
  end
end
