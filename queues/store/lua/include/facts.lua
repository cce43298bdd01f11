-- What a reply tells of a call or an offer, in the order of the domain's CALL_FACTS and OFFER_FACTS.
local CALL_FACTS = {
  "call_id", "state", "outcome", "line", "caller_ref", "customer_id", "customer_name", "is_known",
  "tier", "locale", "node", "step", "record", "queue", "matter", "ticket_no", "queued_ms", "answered_ms",
  "offer_id", "agent_id", "position", "diverted_to", "is_message_left", "site_version", "area", "manager",
  "manager_name", "is_care", "contact", "shared", "is_internal", "notices", "is_anonymous", "wrong_codes",
  "is_keyed", "known", "never", "room", "talks", "held_ms", "told", "named", "callback", "leg_id",
  "entered_ms", "led",
}
local OFFER_FACTS = { "offer_id", "call_id", "agent_id", "state", "leg_id", "asked_by" }
local OFFERED_CALL_FACTS = { "customer_name", "tier", "locale", "queue", "matter", "ticket_no", "queued_ms",
  "room", "consult_id", "callback" }

local function about_call(word, call_id)
  local reply = { word, read("call", call_id, unpack(CALL_FACTS)) }
  return reply[2] == "" and { word } or reply
end

local function about_offer(word, offer_id)
  local reply = { word, read("offer", offer_id, unpack(OFFER_FACTS)) }
  if reply[2] == "" then return { word } end
  local told = { read("call", reply[3], unpack(OFFERED_CALL_FACTS)) }
  for n = 1, #told do reply[#reply + 1] = told[n] end
  return reply
end

-- What a command about a call hears whose moment has gone by, or not come.
local function refuse_call(call_id, state)
  local is_over = state == "" or state == "ended"
  return about_call(is_over and "gone" or "stale:" .. state, call_id)
end
