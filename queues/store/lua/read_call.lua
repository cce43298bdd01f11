-- read_call: what is known of one call. Reads only.
-- KEYS
--   1 site
-- ARGV
--   1 call_id
-- REPLY
--   ok                and the facts of the call
--   gone              it was never heard of, or is forgotten
local now_ms = 0
local call_id = ARGV[1]
-- include: base
-- include: facts

local reply = about_call("ok", call_id)
if not reply[2] then return { "gone" } end
return reply
