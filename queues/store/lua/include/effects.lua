-- Due effects. One of an id: what is due already stays as it is.
local function effect_json(kind, call_id, offer_id, agent_id, leg_id, to, line_, attempt)
  return object({ "kind", kind, "call_id", call_id, "offer_id", offer_id, "agent_id", agent_id,
    "leg_id", leg_id, "to", to, "line", line_, "attempt", attempt })
end

local function add_effect(effect_id, json, due_ms)
  if redis.call("HSETNX", key("effects"), effect_id, json) == 1 then
    redis.call("ZADD", key("due"), text(due_ms), effect_id)
  end
end

local function drop_effect(effect_id)
  redis.call("ZREM", key("due"), effect_id)
  return redis.call("HDEL", key("effects"), effect_id)
end

-- A leg nobody needs any more.
local function hang_up(leg_id, call_id, offer_id, agent_id)
  if leg_id == "" then return end
  add_effect("hang_up:" .. leg_id, effect_json("hang_up", call_id, offer_id, agent_id, leg_id, "", "", 0), now_ms)
end
