-- divert_call: the caller stops waiting for an agent: voicemail, a callback, a goodbye, another company's number.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 to              voicemail, callback, goodbye, transfer
--   4 step            of the menu that leads him there, as long as he is in the menu at no later one; -1: any
-- REPLY
--   ok                and the facts of the call
--   again             and the facts: it is in messaging
--   gone              it has ended, or was never heard of
--   stale:<state>     and the facts: an agent has it, or this step of the menu comes too late
local now_ms = tonumber(ARGV[1])
local call_id, to, step = ARGV[2], ARGV[3], tonumber(ARGV[4])
-- include: base
-- include: moves
-- include: facts
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers

local state, offer_id, agent_id, seen, queue, callback =
  read("call", call_id, "state", "offer_id", "agent_id", "step", "queue", "callback")
if callback ~= "" then return refuse_call(call_id, state) end
local is_there = state == "menu" or state == "messaging"
if step >= 0 and not (is_there and step >= tonumber(seen)) then return refuse_call(call_id, state) end
if state == "messaging" then return about_call("again", call_id) end
if not state_after("call", "divert", state) then return refuse_call(call_id, state) end
stop_waiting(call_id, state, offer_id, agent_id, "diverted")
local closed = state ~= "menu" and redis.call("HGET", key("closed_queues"), queue)
if closed and cjson.decode(closed).leads == 1 then write("call", call_id, "is_open", 0) end
move("call", call_id, "divert", "diverted_to", to)
redis.call("ZADD", key("live"), text(now_ms), call_id)
line("call.diverted", call_id, "", "", { "to", to })
return about_call("ok", call_id)
