-- keep_given: what the caller keyed is kept with the live call; it is not journalled.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 name
--   4 value           digits; of an access code its key
-- REPLY
--   ok                and the facts of the call
--   gone              it has ended, or was never heard of
--   stale:<state>     and the facts: it has left the menu
local now_ms = tonumber(ARGV[1])
local call_id, name, value = ARGV[2], ARGV[3], ARGV[4]
-- include: base
-- include: facts
-- include: given

local state = read("call", call_id, "state")
if state ~= "menu" then return refuse_call(call_id, state) end
local given = read_given(call_id)
given[name] = value
write_given(call_id, given)
redis.call("ZADD", key("live"), text(now_ms), call_id)
return about_call("ok", call_id)
