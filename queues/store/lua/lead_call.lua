-- lead_call: he has waited long enough in this queue: back to the menu, to a node of it; he keeps his place.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 node
--   4 queue           as long as he waits there
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: it is in the menu
--   gone              it has ended, or was never heard of
--   stale:<state>     and the facts: an agent has it, it was led before, put through or called back, or is about danger
local now_ms = tonumber(ARGV[1])
local call_id, node, queue = ARGV[2], ARGV[3], ARGV[4]
-- include: base
-- include: moves
-- include: facts
-- include: lanes

local state, his, led, talks, callback, lane, step =
  read("call", call_id, "state", "queue", "led", "talks", "callback", "lane", "step")
if state == "menu" then return about_call("again", call_id) end
if state ~= "queued" or his ~= queue then return refuse_call(call_id, state) end
local is_his = led == "" and (tonumber(talks) or 0) == 0 and callback == ""
if not is_his or cjson.decode(lane).is_safety then return refuse_call(call_id, state) end
leave_lane(call_id)
move("call", call_id, "lead", "led", queue, "node", node, "step", tonumber(step) + 1)
redis.call("ZADD", key("live"), text(now_ms), call_id)
line("call.led", call_id, "", "", { "node", node, "queue", queue })
return about_call("ok", call_id)
