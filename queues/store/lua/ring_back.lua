-- ring_back: a callback that an agent begins for somebody who gave up; its call has just arrived, with nobody on the line.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms          its place
--   2 call_id
--   3 queue
--   4 matter
--   5 tier
--   6 lane_id
--   7 lane            the lane's rules, JSON
--   8 head_start_ms
--   9 locale
--   10 named          whom it is offered to first: `why wait_ms agent`, one a line
--   11 agent_id       who wants to talk to him
--   12 expires_ms     how long it holds
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: begun before
--   promised          and the facts: he has a callback in this queue, or is being called
--   nameless          and the facts: nobody knows whom to call
--   gone              it has ended, or was never heard of
local now_ms = tonumber(ARGV[1])
local call_id, queue, matter, tier, lane_id, lane = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local head_start_ms, locale, named, agent_id = tonumber(ARGV[8]), ARGV[9], ARGV[10], ARGV[11]
local until_ms = now_ms + tonumber(ARGV[12])
-- include: base
-- include: moves
-- include: facts
-- include: lanes
-- include: places
-- include: callbacks

local state, number, ref, is_anonymous, area, never, ticket_no =
  read("call", call_id, "state", "number", "caller_ref", "is_anonymous", "area", "never", "ticket_no")
if state == "" or state == "ended" then return about_call("gone", call_id) end
if state ~= "menu" then return about_call("again", call_id) end
local caller_ref = name_of(ref, is_anonymous)
if number == "" or caller_ref == "" then return about_call("nameless", call_id) end
local holder = holder_of(caller_ref, queue)
if redis.call("HEXISTS", key("callbacks"), holder) == 1 or redis.call("HEXISTS", key("dialling"), caller_ref) == 1 then
  return about_call("promised", call_id)
end
move("call", call_id, "enqueue", "queue", queue, "first_queue", queue, "matter", matter, "tier", tier, "locale", locale,
  "lane_id", lane_id, "lane", lane, "named", named, "queued_ms", now_ms, "entered_ms", now_ms, "record", "",
  "ticket_no", ticket_no, "callback", "open", "callback_ms", now_ms, "callback_until_ms", until_ms, "tries", 0)
redis.call("ZREM", key("live"), call_id)
redis.call("HSET", key("callbacks"), holder, call_id)
redis.call("ZADD", key("deadlines"), text(until_ms), "callback:" .. call_id)
enter_lane(call_id)
line("call.queued", call_id, "", "", { "queue", queue, "tier", tier, "matter", matter, "lane", lane_id,
  "head_start_ms", head_start_ms, "queued_ms", now_ms, "entered_ms", now_ms, "closed", 0, "locale", locale,
  "area", area, "rules", { json = lane }, "named", named, "never", never })
line("callback.begun", call_id, agent_id, "", { "queue", queue, "until_ms", until_ms })
return about_call("ok", call_id)
