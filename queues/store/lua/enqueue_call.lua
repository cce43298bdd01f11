-- enqueue_call: a call enters a queue: its place, its ticket number, its lane; what it has already, it keeps.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms          from now on the call's queued_ms, if it has none
--   2 call_id
--   3 queue
--   4 matter
--   5 tier            empty: as before
--   6 lane_id
--   7 lane            the lane's rules, JSON
--   8 head_start_ms
--   9 locale          empty: as before
--   10 ticket_type    empty: no ticket
--   11 ticket_on
--   12 work_queue
--   13 is_open        0: the queue is closed, the call goes to messaging
--   14 access_key     of the access code that is told with the ticket; empty: none
--   15 own_ticket     1: a new ticket also for a call that was added to another one before
--   16 named          whom it is offered to first: `why wait_ms agent`, one a line
--   17 forget_ms      how long a callback that this call takes over is remembered
--   18 waiting_max    with so many waiting the queue takes no new caller; 0: it is never full
-- REPLY
--   ok                and the facts of the call
--   closed            and the facts
--   full              and the facts: it is in the menu
--   again             and the facts: it is in a queue, or beyond
--   gone              it has ended, or was never heard of
local now_ms = tonumber(ARGV[1])
local call_id, queue, matter, tier, lane_id, lane = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local head_start_ms, locale, ticket_type, ticket_on = tonumber(ARGV[8]), ARGV[9], ARGV[10], ARGV[11]
local work_queue, is_open = ARGV[12], ARGV[13] == "1"
local access_key, own_ticket = ARGV[14], ARGV[15] == "1"
-- include: base
-- include: moves
-- include: facts
-- include: lanes
-- include: effects
-- include: agents
-- include: never
-- include: offers
-- include: places
-- include: callbacks
-- include: promises
-- include: fullness

local state, old_tier, old_locale, queued_ms, area, ticket_no, has_type, has_on, has_queue, has_key, entered_ms,
  caller_ref, is_anonymous, first_queue, old_queue, position, told, customer_id, never = read("call", call_id,
  "state", "tier", "locale", "queued_ms", "area", "ticket_no", "ticket_type", "ticket_on", "work_queue",
  "access_key", "entered_ms", "caller_ref", "is_anonymous", "first_queue", "queue", "position", "told",
  "customer_id", "never")
if state == "" or state == "ended" then return about_call("gone", call_id) end
if state ~= "menu" then return about_call("again", call_id) end
if tier == "" then tier = old_tier end
if locale == "" then locale = old_locale end
local place
if queued_ms == "" and is_open then
  -- Of a callback that waits for him there, or of a line he has just lost; the older of the two.
  local name = name_of(caller_ref, is_anonymous)
  place = take_over(name, queue, tonumber(ARGV[17]))
  local kept = take_place(name, queue)
  if not place or (kept and tonumber(kept.queued_ms) < tonumber(place.queued_ms)) then place = kept end
  if not place and is_full(call_id, queue, lane, tonumber(ARGV[18])) then return about_call("full", call_id) end
end
if queued_ms == "" then first_queue = queue end
if queue ~= old_queue then position, told = 0, "" end
queued_ms = tonumber(place and place.queued_ms or queued_ms) or now_ms
entered_ms = tonumber(entered_ms) or now_ms
local is_kept = ticket_no ~= "" and (has_type ~= "" or not own_ticket)
if is_kept or ticket_type == "" then
  ticket_type, ticket_on, work_queue, access_key = has_type, has_on, has_queue, has_key
else
  ticket_no = string.format("T%06d", bump("ticket_no"))
end

move("call", call_id, is_open and "enqueue" or "close_out", "queue", queue, "first_queue", first_queue,
  "matter", matter, "tier", tier, "locale", locale, "ticket_no", ticket_no, "ticket_type", ticket_type,
  "ticket_on", ticket_on, "work_queue", work_queue, "access_key", access_key, "is_open", is_open and 1 or 0,
  "lane_id", lane_id, "lane", lane, "position", position, "told", told,
  "queued_ms", queued_ms, "entered_ms", entered_ms, "named", ARGV[16])
redis.call("ZADD", key("live"), text(now_ms), call_id)
never = refresh_never(call_id, customer_id, never)
if is_open then enter_lane(call_id) end
if place then tell_place(call_id, place) end
line("call.queued", call_id, "", "", { "queue", queue, "tier", tier, "matter", matter, "lane", lane_id,
  "ticket_no", ticket_no, "ticket_type", ticket_type, "ticket_on", ticket_on, "work_queue", work_queue,
  "access_key", access_key, "closed", is_open and 0 or 1, "head_start_ms", head_start_ms, "queued_ms", queued_ms,
  "entered_ms", entered_ms, "locale", locale, "area", area, "rules", { json = lane },
  "named", ARGV[16], "never", never })
return about_call(is_open and "ok" or "closed", call_id)
