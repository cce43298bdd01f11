-- The leg that rings the customer of a callback, for one accepted offer.
local function read_dial(offer_id)
  local offer_state, call_id, agent_id, customer_leg_id =
    read("offer", offer_id, "state", "call_id", "agent_id", "customer_leg_id")
  local state, current, callback = "", "", ""
  if call_id ~= "" then state, current, callback = read("call", call_id, "state", "offer_id", "callback") end
  local is_under_way = state == "connecting" or state == "connected"
  local is_dialled = offer_state == "accepted" and is_under_way and current == offer_id and callback ~= ""
  return call_id, agent_id, customer_leg_id, state, is_dialled
end

-- A second one, placed because an answer was lost.
local function is_other_leg(customer_leg_id, leg_id)
  return leg_id ~= "" and customer_leg_id ~= "" and leg_id ~= customer_leg_id
end

local function about_dialled(word, call_id)
  if call_id == "" then return { word } end
  return about_call(word, call_id)
end
