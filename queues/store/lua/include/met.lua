-- Who talked with whom last.
-- By whom the live store remembers a caller: his customer, else his number's ref; empty: nobody to remember.
local function ref_of(customer_id, caller_ref)
  if customer_id ~= "" then return customer_id end
  return caller_ref == "withheld" and "" or caller_ref
end

local function keep_met(ref, agent_id)
  if ref == "" then return end
  redis.call("HSET", key("met"), ref, text(now_ms) .. " " .. agent_id)
  redis.call("ZADD", key("met_at"), text(now_ms), ref)
end

local function drop_met(ref)
  redis.call("ZREM", key("met_at"), ref)
  return redis.call("HDEL", key("met"), ref) == 1
end
