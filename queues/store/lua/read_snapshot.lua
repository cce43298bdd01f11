-- read_snapshot: what one tick of the dispatcher decides on. Reads only.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 silent_ms       an agent silent for longer, while another was not, is lost
--   3 heads_max       how many calls of a lane, from its head; of the likeliest some more
--   4 agents_max      how many agents of a pool, the longest idle first
--   5 with_turns      1: also when each of them had his last turn in a rotation
-- REPLY
--   ok                then turn, and the rest as one JSON text
local now_ms = tonumber(ARGV[1])
local silent_ms, heads_max, agents_max = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
-- include: base
-- include: skills
-- include: heads

local LATE_MAX = 64

local function sorted(names)
  table.sort(names)
  return names
end

local function earliest(zset)
  local first = redis.call("ZRANGE", key(zset), 0, 0, "WITHSCORES")
  return first[2] or ""
end

-- The queues of which some overflow steps count at once.
local surging = {}
for _, words in ipairs(redis.call("HVALS", key("surges"))) do
  local subject = cjson.decode(string.match(words, "^%d+ %d+ %d+ (.*)$"))
  for _, queue in ipairs(subject.queues) do surging[queue] = true end
end

local function lost()
  local newest = redis.call("ZREVRANGE", key("beats"), 0, 0, "WITHSCORES")
  if not newest[2] or tonumber(newest[2]) <= now_ms - silent_ms then return {} end
  return redis.call("ZRANGEBYSCORE", key("beats"), "-inf", text(now_ms - silent_ms), "LIMIT", 0, LATE_MAX)
end

-- Whom we ring with no agent held for them, or who wait on that line: the rules of their lanes.
local function called()
  local found = {}
  for _, call_id in ipairs(redis.call("HVALS", key("dialling"))) do
    local state, own_leg, lane, callback = read("call", call_id, "state", "leg_id", "lane", "callback")
    local is_waiting = state == "queued" and own_leg ~= "" and callback ~= "kept"
    if state == "calling" or is_waiting then found[#found + 1] = lane end
  end
  return sorted(found)
end

local pools, lanes = {}, {}
for _, skills in ipairs(sorted(redis.call("SMEMBERS", key("pools")))) do
  local agents = redis.call("ZRANGE", key("pool", skills), 0, agents_max, "WITHSCORES")
  local more = is_cut(agents, agents_max)
  local turns = {}
  for n = 1, ARGV[5] == "1" and #agents or 0, 2 do turns[#turns + 1] = read("agent", agents[n], "turn") end
  pools[#pools + 1] = { skills, agents, more, turns }
end
-- Without a ready agent there is nothing to decide.
if #pools > 0 then
  local rules, ids = {}, {}
  local told = redis.call("HGETALL", key("lanes"))
  for n = 1, #told, 2 do
    rules[told[n]] = told[n + 1]
    ids[#ids + 1] = told[n]
  end
  for n, lane_id in ipairs(sorted(ids)) do
    local is_surging = surging[string.match(lane_id, "^[^|]*")] or false
    lanes[n] = read_on(lane_id, { rules[lane_id], {}, false, is_surging })
  end
  deepen(ids, lanes, pools)
end
local deadline_ms, late = earliest("deadlines"), {}
if deadline_ms ~= "" and tonumber(deadline_ms) <= now_ms then
  late = redis.call("ZRANGEBYSCORE", key("deadlines"), "-inf", text(now_ms), "LIMIT", 0, LATE_MAX)
end
local turn, last_ms, last_seq = unpack(redis.call("MGET", key("turn"), key("last_ms"), key("last_seq")))
local signed_in = {}
for _, person in pairs(people) do
  if person[2] ~= "" and person[2] ~= "signed_out" then signed_in[#signed_in + 1] = person end
end
local rest = { seen = (last_ms or "0") .. "-" .. (last_seq or "0"), pools = pools, lanes = lanes, people = signed_in, signed_in = redis.call("SCARD", key("agents")),
  released = sorted(redis.call("HKEYS", key("reserves"))), called = #pools > 0 and called() or {}, late = late, lost = lost(),
  deadline_ms = deadline_ms, due_ms = earliest("due") }
return { "ok", turn or "0", cjson.encode(rest) }
