-- forget_met: who talked with whom so long ago is forgotten, the longest ago first.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 before_ms       at this instant, or earlier
--   3 met_max         so many at once
-- REPLY
--   ok                and how many
local now_ms = tonumber(ARGV[1])
-- include: base
-- include: met

local refs = redis.call("ZRANGEBYSCORE", key("met_at"), "-inf", ARGV[2], "LIMIT", 0, tonumber(ARGV[3]))
for _, ref in ipairs(refs) do drop_met(ref) end
return { "ok", text(#refs) }
