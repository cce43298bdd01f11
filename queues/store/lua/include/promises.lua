-- How a promise to call back ends while nobody talks, and how another call of the same caller takes it over.
local function end_callback(call_id, how, forget_ms)
  local state, offer_id, agent_id, caller_ref, tries =
    read("call", call_id, "state", "offer_id", "agent_id", "caller_ref", "tries")
  if state == "queued" then
    leave_lane(call_id)
  elseif state == "offered" then
    withdraw_offer(offer_id, how)
    release(agent_id, nil, "")
  end
  drop_promise(call_id)
  let_go_of_customer(call_id, caller_ref)
  move("call", call_id, "end", "outcome", "callback", "callback", how, "offer_id", "", "agent_id", "",
    "ended_ms", now_ms, "ended_by", "system")
  redis.call("ZREM", key("live"), call_id)
  redis.call("ZADD", key("deadlines"), text(now_ms + forget_ms), "forget:" .. call_id)
  line("call.ended", call_id, "", "", { "outcome", "callback", "by", "system", "ended_ms", now_ms,
    "callback", how, "tries", tonumber(tries) or 0 })
end

-- Both legs of a try that came to nothing.
local function end_dial(offer_id, is_agent_there)
  local call_id, agent_id, leg_id, customer_leg_id =
    read("offer", offer_id, "call_id", "agent_id", "leg_id", "customer_leg_id")
  redis.call("ZREM", key("deadlines"), "connect:" .. offer_id)
  drop_effect("dial:" .. offer_id)
  hang_up(customer_leg_id, call_id, offer_id, agent_id)
  if is_agent_there then hang_up(leg_id, call_id, offer_id, agent_id) end
end

-- The place of the callback that waits for him in this queue. While we ring him, or he is on that line, it ends by
-- itself.
local function take_over(caller_ref, queue, forget_ms)
  if caller_ref == "" then return nil end
  local other = redis.call("HGET", key("callbacks"), holder_of(caller_ref, queue))
  if not other then return nil end
  local state, queued_ms, own_leg = read("call", other, "state", "queued_ms", "leg_id")
  if queued_ms == "" then return nil end
  if is_idle(state, own_leg) then
    end_callback(other, "joined", forget_ms)
  else
    redis.call("HDEL", key("callbacks"), holder_of(caller_ref, queue))
  end
  return { queued_ms = queued_ms, call_id = other, queue = queue }
end

-- One promise for a customer and a queue, and the older place holds it: the other ends as joined. Whoever is rung this
-- moment, or is on the line, keeps it as well.
local function hold_promise(call_id, forget_ms)
  local holder = promise_of(call_id)
  local other = redis.call("HGET", key("callbacks"), holder)
  if other then
    local queued_ms, arrival = read("call", call_id, "queued_ms", "arrival")
    local state, own_leg, its_ms, its_arrival = read("call", other, "state", "leg_id", "queued_ms", "arrival")
    local later_ms = tonumber(queued_ms) - tonumber(its_ms)
    local is_younger = later_ms > 0 or (later_ms == 0 and tonumber(arrival) > tonumber(its_arrival))
    if is_younger or not is_idle(state, own_leg) then return end
    end_callback(other, "joined", forget_ms)
  end
  redis.call("HSET", key("callbacks"), holder, call_id)
end
