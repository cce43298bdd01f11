-- raise_counters: ids and counters rise above what SQL has seen; nothing is ever lowered.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 last_ms         of the last journal id that SQL has seen
--   3 last_seq
--   4 arrivals
--   5 tickets
--   6 server          after a restart it is another, which may have lost its last second
--   7 tickets_unseen  so many numbers may have been told in that second, and written down nowhere
-- REPLY
--   ok
local now_ms = tonumber(ARGV[1])
local last_ms, last_seq, arrivals, tickets = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local server, tickets_unseen = ARGV[6], tonumber(ARGV[7])
-- include: base

local function counter(name)
  return tonumber(redis.call("GET", key(name)) or 0)
end

local has_ms, has_seq = counter("last_ms"), counter("last_seq")
if last_ms > has_ms or (last_ms == has_ms and last_seq > has_seq) then
  redis.call("SET", key("last_ms"), text(last_ms))
  redis.call("SET", key("last_seq"), text(last_seq))
  if redis.call("EXISTS", key("journal")) == 1 then
    redis.call("XSETID", key("journal"), text(last_ms) .. "-" .. text(last_seq))
  end
end
redis.call("SET", key("arrivals"), text(math.max(counter("arrivals"), arrivals)))
local before = redis.call("GET", key("server"))
local has_lost = counter("ticket_no") < tickets or (before and before ~= server)
tickets = math.max(counter("ticket_no"), tickets)
if has_lost and tickets > 0 then tickets = tickets + tickets_unseen end
redis.call("SET", key("ticket_no"), text(tickets))
redis.call("SET", key("server"), server)
bump("turn")
return { "ok" }
