-- A promise to call back: how it rests, how it ends, and whose it is.
local function holder_of(caller_ref, queue)
  return caller_ref .. "|" .. queue
end

local function promise_of(call_id)
  local caller_ref, queue = read("call", call_id, "caller_ref", "queue")
  return holder_of(caller_ref, queue), caller_ref
end

-- He has rung again, or asked again: the promise is another call's.
local function is_taken_over(call_id)
  return redis.call("HGET", key("callbacks"), (promise_of(call_id))) ~= call_id
end

-- We are to call him back, and have not talked with him yet.
local function has_promise(callback)
  return callback == "asked" or callback == "open"
end

-- Nobody rings him for this callback, and he is not on the line.
local function is_idle(state, own_leg)
  return own_leg == "" and (state == "queued" or state == "resting" or state == "offered")
end

-- Of a promise that is no more: its time is up, or he has rung again.
local function how_it_ends(call_id)
  local until_ms = read("call", call_id, "callback_until_ms")
  return now_ms >= (tonumber(until_ms) or 0) and "failed" or "joined"
end

-- He is being called back no more by this call.
local function let_go_of_customer(call_id, caller_ref)
  if redis.call("HGET", key("dialling"), caller_ref) == call_id then
    redis.call("HDEL", key("dialling"), caller_ref)
  end
end

-- To the queue to which its call is moved; false: there he has another promise.
local function move_promise(call_id, queue)
  local here, caller_ref = promise_of(call_id)
  local there = holder_of(caller_ref, queue)
  if redis.call("HEXISTS", key("callbacks"), there) == 1 then return false end
  if not is_taken_over(call_id) then
    redis.call("HDEL", key("callbacks"), here)
    redis.call("HSET", key("callbacks"), there, call_id)
  end
  return true
end

local function drop_promise(call_id)
  if not is_taken_over(call_id) then redis.call("HDEL", key("callbacks"), (promise_of(call_id))) end
  redis.call("ZREM", key("deadlines"), "callback:" .. call_id)
end

-- Nothing is kept under his reference; a try that is under way is the last.
local function forget_promise(call_id)
  local holder, caller_ref = promise_of(call_id)
  local state, callback = read("call", call_id, "state", "callback")
  if callback ~= "" and not is_taken_over(call_id) then redis.call("HDEL", key("callbacks"), holder) end
  if has_promise(callback) and state ~= "ended" then write("call", call_id, "callback_until_ms", now_ms) end
  let_go_of_customer(call_id, caller_ref)
end

-- Out of its lane until then, with its place.
local function rest_callback(call_id, state, why, until_ms)
  if state == "queued" then leave_lane(call_id) end
  if state ~= "resting" then move("call", call_id, "rest", "offer_id", "", "agent_id", "") end
  redis.call("ZADD", key("deadlines"), text(until_ms), "callback:" .. call_id)
  line("callback.rested", call_id, "", "", { "why", why, "until_ms", until_ms })
end
