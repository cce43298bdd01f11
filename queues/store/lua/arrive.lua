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
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: it has arrived before
local now_ms = tonumber(ARGV[1])
local call_id, dialled, caller_ref, number, number_key = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local default_tier, default_locale = ARGV[7], ARGV[8]
-- include: base
-- include: facts

if redis.call("EXISTS", key("call", call_id)) == 1 then return about_call("again", call_id) end

local customer_id = redis.call("HGET", key("numbers"), number_key) or ""
local found = redis.call("HGET", key("customers"), customer_id)
local customer = found and cjson.decode(found) or {}
local function told(name, default)
  local value = customer[name]
  return type(value) == "string" and value ~= "" and value or default
end
local tier, locale = told("tier", default_tier), told("locale", default_locale)
local known = found and 1 or 0
if not found then customer_id = "" end

local arrival = bump("arrivals")
write("call", call_id, "call_id", call_id, "state", "menu", "arrival", arrival, "arrived_ms", now_ms,
  "line", dialled, "caller_ref", caller_ref, "number", number, "customer_id", customer_id,
  "customer_name", told("name", ""), "tier", tier, "locale", locale, "is_known", known, "step", -1,
  "record", "wanted", "is_open", 1, "position", 0, "offers", 0, "is_message_left", 0)
redis.call("ZADD", key("live"), text(now_ms), call_id)
line("call.arrived", call_id, "", "", { "line", dialled, "caller_ref", caller_ref, "customer_id", customer_id,
  "tier", tier, "locale", locale, "known", known, "arrival", arrival })
return about_call("ok", call_id)
