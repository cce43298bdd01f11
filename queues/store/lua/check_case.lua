-- check_case: how a case stands, for who keyed its number and, where it has one, its access code.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 call_id
--   3 step            the menu step that asks, -1: the call's; at the same or an earlier one it is the same question
--   4 wrong_max       wrong answers in one call
--   5 case_wrong_max  wrong answers about one case
--   6 case_within_ms  in so long
-- REPLY
--   ok                then the case's state, the answer for the caller if he may hear it, the ticket's number
--   wrong             another access code
--   locked            too many wrong answers: this one used up the last try, or there is none left
--   unknown           no such case
--   gone              the call has ended, or was never heard of
local now_ms = tonumber(ARGV[1])
local call_id, step, wrong_max = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local case_wrong_max, case_within_ms = tonumber(ARGV[5]), tonumber(ARGV[6])
-- include: base
-- include: given
-- include: never
-- include: identity

local state, at_step, wrong, asked, customer_id, is_keyed =
  read("call", call_id, "state", "step", "wrong_codes", "asked", "customer_id", "is_keyed")
if state == "" or state == "ended" then return { "gone" } end
if step < 0 then step = tonumber(at_step) end
wrong = tonumber(wrong)
local given = read_given(call_id)
local ticket_no = number_in(given.case_no or "")
local case = decode("cases", ticket_no)

-- Since when there were how many wrong answers about this case.
local from_ms, faults = string.match(redis.call("HGET", key("case_faults"), ticket_no) or "0 0", "^(%d+) (%d+)$")
from_ms, faults = tonumber(from_ms), tonumber(faults)
if now_ms - from_ms >= case_within_ms then from_ms, faults = now_ms, 0 end

local function answer()
  if wrong >= wrong_max or faults >= case_wrong_max then return "locked" end
  if not case then return "unknown" end
  local code_key = told(case, "code_key", "")
  return (code_key == "" or code_key == given.access_code) and "ok" or "wrong"
end

-- A new question is journalled; the wrong answer that uses up the last try says so.
local function count(word)
  if word == "wrong" or word == "unknown" then
    wrong = wrong + 1
    if word == "wrong" then
      redis.call("HSET", key("case_faults"), ticket_no, text(from_ms) .. " " .. text(faults + 1))
    end
    if wrong >= wrong_max then word = "locked" end
  end
  write("call", call_id, "wrong_codes", wrong, "asked", text(step) .. " " .. word)
  redis.call("ZADD", key("live"), "XX", text(now_ms), call_id)
  line("case.asked", call_id, "", "", { "word", word })
  return word
end

local word = answer()
local asked_step, asked_word = string.match(asked, "^(%-?%d+) (.*)$")
if asked_step and step <= tonumber(asked_step) then
  word = asked_word == "ok" and word or asked_word
else
  word = count(word)
end
if word ~= "ok" then return { word } end
-- What our people answered is for who gave the code, or calls from a number of the customer whose case it is.
local is_owner = customer_id ~= "" and is_keyed ~= "1" and customer_id == told(case, "customer_id", "")
local may_hear = is_owner or told(case, "code_key", "") ~= ""
return { "ok", told(case, "state", ""), may_hear and told(case, "reply", "") or "", ticket_no }
