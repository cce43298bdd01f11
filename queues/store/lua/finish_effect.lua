-- finish_effect: it is done.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 effect_id
-- REPLY
--   ok
--   again             it was done, or is no longer wanted
local now_ms = tonumber(ARGV[1])
local effect_id = ARGV[2]
-- include: base
-- include: effects

return { drop_effect(effect_id) == 1 and "ok" or "again" }
