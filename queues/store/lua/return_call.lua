-- return_call: nobody answered at the other company: the caller comes back to the menu.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: it is in the menu
--   gone              it has ended, or was never heard of
--   stale:<state>     and the facts: it had not been transferred
local now_ms = tonumber(ARGV[1])
local call_id = ARGV[2]
-- include: base
-- include: moves
-- include: facts

local state, diverted_to = read("call", call_id, "state", "diverted_to")
if state == "menu" then return about_call("again", call_id) end
if state ~= "messaging" or diverted_to ~= "transfer" then return refuse_call(call_id, state) end
move("call", call_id, "return", "diverted_to", "")
redis.call("ZADD", key("live"), text(now_ms), call_id)
line("call.returned", call_id, "", "", {})
return about_call("ok", call_id)
