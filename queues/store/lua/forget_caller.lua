-- forget_caller: nothing is kept under this reference any more: no place, and no promise to call.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 caller_ref
--   3 forget_ms       how long an ended call is remembered
-- REPLY
--   ok
--   again             nothing was
local now_ms = tonumber(ARGV[1])
local caller_ref, forget_ms = ARGV[2], tonumber(ARGV[3])
-- include: base
-- include: moves
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers
-- include: places
-- include: met
-- include: callbacks
-- include: promises

local mine, prefix = {}, caller_ref .. "|"
local kept = redis.call("HGETALL", key("callbacks"))
for n = 1, #kept, 2 do
  if string.sub(kept[n], 1, #prefix) == prefix then mine[#mine + 1] = kept[n + 1] end
end
table.sort(mine, function(one, other)
  return tonumber((read("call", one, "arrival"))) < tonumber((read("call", other, "arrival")))
end)
for _, call_id in ipairs(mine) do
  if is_idle(read("call", call_id, "state", "leg_id")) then
    end_callback(call_id, "failed", forget_ms)
  else
    local is_rung = redis.call("HGET", key("dialling"), caller_ref) == call_id
    forget_promise(call_id)
    -- He counts no more as one who is rung: decisions follow from it.
    if is_rung then line("callback.forgotten", call_id, "", "", {}) end
  end
end
local is_known = #mine > 0 or redis.call("HEXISTS", key("places"), caller_ref) == 1
erase_places(caller_ref)
is_known = drop_met(caller_ref) or is_known
return { is_known and "ok" or "again" }
