-- hold_lease: one process leads until its lease ends; real time, for it says nothing about calls.
-- KEYS
--   1 site
-- ARGV
--   1 name            what is led
--   2 holder
--   3 lease_ms        real
-- REPLY
--   ok                held, or renewed
--   new               won: another led before, or nobody
--   taken             another leads
local now_ms = 0
local name, holder, lease_ms = ARGV[1], ARGV[2], ARGV[3]
-- include: base

local has = redis.call("GET", key("leader", name))
if has and has ~= holder then return { "taken" } end
redis.call("SET", key("leader", name), holder, "PX", lease_ms)
return { has and "ok" or "new" }
