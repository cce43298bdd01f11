-- ask_callback: the caller may hang up now and keeps his place; until he has, nobody rings him.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 linger_ms       how long he may take to hang up
--   4 expires_ms      how long the promise holds
--   5 forget_ms       how long an ended call is remembered
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: he has asked before
--   gone              it has ended, or was never heard of
--   stale:<state>     and the facts: he does not wait, or nobody knows whom to call
local now_ms = tonumber(ARGV[1])
local call_id, linger_ms, expires_ms = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
-- include: base
-- include: moves
-- include: facts
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers
-- include: places
-- include: callbacks
-- include: promises

local state, callback, number, ref, is_anonymous, queue, talks, own_leg =
  read("call", call_id, "state", "callback", "number", "caller_ref", "is_anonymous", "queue", "talks", "leg_id")
if callback ~= "" and own_leg == "" and state ~= "ended" then return about_call("again", call_id) end
local is_waiting = state == "queued" and callback == "" and (tonumber(talks) or 0) == 0
if not is_waiting or number == "" or name_of(ref, is_anonymous) == "" then return refuse_call(call_id, state) end
local until_ms = now_ms + expires_ms
leave_lane(call_id)
move("call", call_id, "rest", "callback", "asked", "callback_ms", now_ms, "callback_until_ms", until_ms, "tries", 0)
redis.call("ZREM", key("live"), call_id)
hold_promise(call_id, tonumber(ARGV[5]))
redis.call("ZADD", key("deadlines"), text(now_ms + linger_ms), "callback:" .. call_id)
line("callback.asked", call_id, "", "", { "queue", queue, "until_ms", until_ms })
return about_call("ok", call_id)
