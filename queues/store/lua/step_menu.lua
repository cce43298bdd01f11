-- step_menu: the caller is at a node of the menu; journalled once a step. A refusal to be recorded holds however late.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 node
--   4 step            the number of the step; a lower one is late
--   5 locale          empty: as before
--   6 record          wanted, refused, or empty: as before
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: this step, or a later one, was seen
--   gone              it has ended, or was never heard of
--   stale:<state>     and the facts: it has left the menu
local now_ms = tonumber(ARGV[1])
local call_id, node, step, locale, record = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
-- include: base
-- include: facts

local state, at_node, seen, old_locale, old_record = read("call", call_id, "state", "node", "step", "locale", "record")
if state ~= "menu" then return refuse_call(call_id, state) end
local is_late = step <= tonumber(seen)
local is_refusal = record == "refused" and old_record ~= "refused"
if is_late and not is_refusal then return about_call("again", call_id) end
if is_late then node, step, locale = at_node, tonumber(seen), old_locale end
if locale == "" then locale = old_locale end
if record == "" then record = old_record end
write("call", call_id, "node", node, "step", step, "locale", locale, "record", record)
redis.call("ZADD", key("live"), text(now_ms), call_id)
line("call.menu_stepped", call_id, "", "", { "node", node, "step", step, "locale", locale, "record", record })
return about_call(is_late and "again" or "ok", call_id)
