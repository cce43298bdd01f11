-- join_ticket: the caller's trouble is known: his call is added to the ticket that is open.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 ticket_no
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: it has a ticket
--   closed            and the facts: that ticket is
--   gone              it has ended, or was never heard of
--   stale:<state>     and the facts: it has left the menu
local now_ms = tonumber(ARGV[1])
local call_id, ticket_no = ARGV[2], ARGV[3]
-- include: base
-- include: facts
-- include: never
-- include: identity

local state, has = read("call", call_id, "state", "ticket_no")
if state ~= "menu" then return refuse_call(call_id, state) end
if has ~= "" then return about_call("again", call_id) end
if told(decode("cases", ticket_no) or {}, "state", "") == "closed" then return about_call("closed", call_id) end
write("call", call_id, "ticket_no", ticket_no)
redis.call("ZADD", key("live"), "XX", text(now_ms), call_id)
line("call.joined", call_id, "", "", { "ticket_no", ticket_no })
return about_call("ok", call_id)
