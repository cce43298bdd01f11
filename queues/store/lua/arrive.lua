-- arrive: a caller is here; who he is, from the number index, and the first line of his call.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 line            the site's line he dialled
--   4 caller_ref
--   5 number
--   6 number_key
--   7 default_tier
--   8 default_locale
--   9 is_internal
--   10 site_version   unless another has been activated
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: it has arrived before
local now_ms = tonumber(ARGV[1])
local call_id, dialled, caller_ref, number, number_key = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local default_tier, default_locale, is_internal, site_version = ARGV[7], ARGV[8], ARGV[9], ARGV[10]
-- include: base
-- include: facts
-- include: met
-- include: never
-- include: identity

if redis.call("EXISTS", key("call", call_id)) == 1 then return about_call("again", call_id) end

local customer_id, file, contact, shared = opened_by_number(number_key)
local tier, locale = told(file or {}, "tier", default_tier), told(file or {}, "locale", default_locale)
local version = redis.call("GET", key("version")) or site_version
local arrival = bump("arrivals")
write("call", call_id, "call_id", call_id, "state", "menu", "arrival", arrival, "arrived_ms", now_ms,
  "line", dialled, "caller_ref", caller_ref, "number", number, "tier", tier, "locale", locale, "step", -1,
  "record", "wanted", "is_open", 1, "position", 0, "offers", 0, "talks", 0, "holds", 0, "is_message_left", 0, "site_version", version,
  "is_internal", is_internal, "is_anonymous", 0, "wrong_codes", 0, "is_keyed", 0,
  "wrong_accounts", "")
local is_known, area = write_known(call_id, caller_ref, customer_id, file, contact, shared)
redis.call("ZADD", key("live"), text(now_ms), call_id)
local line_id = line("call.arrived", call_id, "", "", { "line", dialled, "caller_ref", caller_ref,
  "customer_id", customer_id, "tier", tier, "locale", locale, "known", is_known, "area", area,
  "internal", tonumber(is_internal), "site_version", version, "arrival", arrival })
write("call", call_id, "named_in", line_id)
return about_call("ok", call_id)
