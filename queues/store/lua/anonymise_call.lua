-- anonymise_call: from now on nothing tells who this is; the lines that did are taken out of the journal.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 default_tier
--   4 forget_ms       how long an ended callback is remembered
-- REPLY
--   ok                and the facts of the call
--   again             and the facts
--   gone              it was never heard of
local now_ms = tonumber(ARGV[1])
local call_id, tier = ARGV[2], ARGV[3]
-- include: base
-- include: moves
-- include: facts
-- include: met
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers
-- include: places
-- include: callbacks
-- include: promises

local state, is_anonymous, named_in, customer_id, caller_ref, ticket_no =
  read("call", call_id, "state", "is_anonymous", "named_in", "customer_id", "caller_ref", "ticket_no")
if state == "" then return refuse_call(call_id, state) end
if is_anonymous == "1" then return about_call("again", call_id) end
local callback, own_leg = read("call", call_id, "callback", "leg_id")
if callback ~= "" then
  -- Nobody knows any more whom to call.
  if is_idle(state, own_leg) then
    end_callback(call_id, "failed", tonumber(ARGV[4]))
    state = "ended"
  end
  forget_promise(call_id)
end
erase_places(caller_ref)
for line_id in string.gmatch(named_in, "%S+") do redis.call("XDEL", key("journal"), line_id) end
drop_met(ref_of(customer_id, caller_ref))
-- Who owns his open ticket, and that this one is his; SQL tells again what it still knows of other calls of his.
redis.call("HDEL", key("owners"), ref_of(customer_id, caller_ref))
redis.call("HDEL", key("owned"), ticket_no)
write("call", call_id, "is_anonymous", 1, "known", "", "never", "", "named", "")
write("call", call_id, "tier", tier, "number", "", "caller_ref", "", "customer_id", "",
  "customer_name", "", "is_known", 0, "manager", "", "manager_name", "", "is_care", 0, "contact", "", "shared", 0,
  "given", "", "asked", "", "named_in", "", "is_keyed", 0, "wrong_accounts", "")
if state ~= "ended" and (callback == "" or own_leg ~= "") then redis.call("ZADD", key("live"), text(now_ms), call_id) end
local dialled, locale, version, area, arrived_ms, arrival =
  read("call", call_id, "line", "locale", "site_version", "area", "arrived_ms", "arrival")
line("call.anonymised", call_id, "", "", { "line", dialled, "tier", tier, "locale", locale, "site_version", version,
  "area", area, "arrived_ms", tonumber(arrived_ms), "arrival", tonumber(arrival) })
return about_call("ok", call_id)
