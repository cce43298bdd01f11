-- fail_effect: it failed too often and is given up, and the journal says so.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 effect_id
-- REPLY
--   ok
--   again             it was done, given up, or is no longer wanted
local now_ms = tonumber(ARGV[1])
local effect_id = ARGV[2]
-- include: base
-- include: effects

local found = redis.call("HGET", key("effects"), effect_id)
if not found then return { "again" } end
local effect = cjson.decode(found)
drop_effect(effect_id)
line("effect.failed", effect.call_id, effect.agent_id, effect.offer_id,
  { "kind", effect.kind, "attempts", effect.attempt })
return { "ok" }
