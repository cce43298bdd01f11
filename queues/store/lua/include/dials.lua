-- The leg that rings the customer of a callback, for one accepted offer.
local function read_dial(offer_id)
  local offer_state, call_id, agent_id, customer_leg_id =
    read("offer", offer_id, "state", "call_id", "agent_id", "customer_leg_id")
  local state, current, callback = "", "", ""
  if call_id ~= "" then state, current, callback = read("call", call_id, "state", "offer_id", "callback") end
  local is_his = (state == "connecting" or state == "connected") and callback ~= ""
  local is_dialled = offer_state == "accepted" and current == offer_id and (state == "calling" or is_his)
  return call_id, agent_id, customer_leg_id, state, is_dialled
end

-- This is the leg on which he waits or talks.
local function is_on(call_id, leg_id)
  if call_id == "" or leg_id == "" then return false end
  local state, own_leg = read("call", call_id, "state", "leg_id")
  return own_leg == leg_id and state ~= "ended"
end

-- A second one, placed because an answer was lost.
local function is_other_leg(customer_leg_id, leg_id)
  return leg_id ~= "" and customer_leg_id ~= "" and leg_id ~= customer_leg_id
end

local function bind_customer(offer_id, leg_id)
  if leg_id == "" then return end
  write("offer", offer_id, "customer_leg_id", leg_id)
  bind_leg(leg_id, "customer:" .. offer_id)
end

local function about_dialled(word, call_id)
  if call_id == "" then return { word } end
  return about_call(word, call_id)
end
