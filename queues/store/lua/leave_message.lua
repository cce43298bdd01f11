-- leave_message: the caller has left a message; the provider may say so after his hang-up.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
-- REPLY
--   ok                and the facts of the call
--   again             and the facts
--   gone              it ended otherwise, or was never heard of
--   stale:<state>     and the facts: it is not in messaging
local now_ms = tonumber(ARGV[1])
local call_id = ARGV[2]
-- include: base
-- include: facts

local state, diverted_to, is_open, is_left, answered_ms, outcome =
  read("call", call_id, "state", "diverted_to", "is_open", "is_message_left", "answered_ms", "outcome")
local ended_there = state == "ended" and (diverted_to ~= "" or is_open == "0")
if state ~= "messaging" and not ended_there then return refuse_call(call_id, state) end
if is_left == "1" then return about_call("again", call_id) end
if ended_there and answered_ms == "" then outcome = "voicemail" end
write("call", call_id, "is_message_left", 1, "outcome", outcome)
line("call.message_left", call_id, "", "", { "outcome", outcome })
return about_call("ok", call_id)
