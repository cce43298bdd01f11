-- read_snapshot: what one tick of the dispatcher decides on. Reads only.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 silent_ms       an agent silent for longer, while another was not, is lost
--   3 heads_max       how many calls of a lane, from its head
--   4 agents_max      how many agents of a pool, the longest idle first
-- REPLY
--   ok                then turn, and the rest as one JSON text
local now_ms = tonumber(ARGV[1])
local silent_ms, heads_max, agents_max = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
-- include: base

local LATE_MAX = 64

local function sorted(names)
  table.sort(names)
  return names
end

local function earliest(zset)
  local first = redis.call("ZRANGE", key(zset), 0, 0, "WITHSCORES")
  return first[2] or ""
end

local function lane(lane_id)
  local entries = redis.call("ZRANGE", key("lane", lane_id), 0, heads_max - 1, "WITHSCORES")
  local calls = {}
  for n = 1, #entries, 2 do
    local skips = redis.call("HGET", key("call", string.sub(entries[n], 14)), "skips")
    calls[#calls + 1] = { entries[n], entries[n + 1], skips or "" }
  end
  return { redis.call("HGET", key("lanes"), lane_id), calls }
end

local function lost()
  local newest = redis.call("ZREVRANGE", key("beats"), 0, 0, "WITHSCORES")
  if not newest[2] or tonumber(newest[2]) <= now_ms - silent_ms then return {} end
  return redis.call("ZRANGEBYSCORE", key("beats"), "-inf", text(now_ms - silent_ms), "LIMIT", 0, LATE_MAX)
end

local pools, lanes = {}, {}
for _, skills in ipairs(sorted(redis.call("SMEMBERS", key("pools")))) do
  pools[#pools + 1] = { skills, redis.call("ZRANGE", key("pool", skills), 0, agents_max - 1, "WITHSCORES") }
end
-- Without a ready agent there is nothing to decide.
if #pools > 0 then
  for _, lane_id in ipairs(sorted(redis.call("HKEYS", key("lanes")))) do lanes[#lanes + 1] = lane(lane_id) end
end
local late = redis.call("ZRANGEBYSCORE", key("deadlines"), "-inf", text(now_ms), "LIMIT", 0, LATE_MAX)
local seen = (redis.call("GET", key("last_ms")) or "0") .. "-" .. (redis.call("GET", key("last_seq")) or "0")
local rest = { seen = seen, pools = pools, lanes = lanes, late = late, lost = lost(),
  deadline_ms = earliest("deadlines"), due_ms = earliest("due") }
return { "ok", redis.call("GET", key("turn")) or "0", cjson.encode(rest) }
