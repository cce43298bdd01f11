-- identify_call: the caller has keyed an account number; its file is opened, unless he stays anonymous.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 account_key
--   4 default_tier
--   5 wrong_max       so many that nobody has, and no further one is looked up
-- REPLY
--   ok                and the facts of the call
--   unknown           and the facts: there is no such file, or none for him, or he has tried too many
--   again             and the facts: it is open
--   gone              it has ended, or was never heard of
--   stale:<state>     and the facts: it has left the menu
local now_ms = tonumber(ARGV[1])
local call_id, account_key, default_tier, wrong_max = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
-- include: base
-- include: facts
-- include: met
-- include: never
-- include: identity

local state, has, is_anonymous, named_in, wrong, caller_ref =
  read("call", call_id, "state", "customer_id", "is_anonymous", "named_in", "wrong_accounts", "caller_ref")
if state ~= "menu" then return refuse_call(call_id, state) end
local count, last = string.match(wrong, "^(%d+) (.*)$")
wrong = tonumber(count) or 0
if is_anonymous == "1" or wrong >= wrong_max then return about_call("unknown", call_id) end
local customer_id = redis.call("HGET", key("accounts"), account_key) or ""
local file = decode("customers", customer_id)
if not file then
  if account_key ~= last then write("call", call_id, "wrong_accounts", text(wrong + 1) .. " " .. account_key) end
  return about_call("unknown", call_id)
end
if customer_id == has then return about_call("again", call_id) end
local tier = told(file, "tier", default_tier)
write("call", call_id, "tier", tier, "is_keyed", 1)
local _, area = write_known(call_id, caller_ref, customer_id, file, "", 0)
redis.call("ZADD", key("live"), text(now_ms), call_id)
local line_id = line("call.identified", call_id, "", "",
  { "customer_id", customer_id, "tier", tier, "area", area })
write("call", call_id, "named_in", named_in .. " " .. line_id)
return about_call("ok", call_id)
