-- Which offer a leg was placed for.
local function bind_leg(leg_id, offer_id)
  if leg_id ~= "" then redis.call("HSET", key("legs"), leg_id, offer_id) end
end
