-- weigh_surge: how much is going on about one subject; a surge begins, is alerted and ends once.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
--   2 surge_id
--   3 level           high | middle | low
--   4 subject         JSON, kept from its beginning
--   5 calm_ms         it ends when it has been low for so long
--   6 on_call         the agents to be alerted, joined by ","; empty: nobody now
-- REPLY
--   begun
--   ended
--   again             it goes on, or there is none
local now_ms = tonumber(ARGV[1])
local surge_id, level, subject = ARGV[2], ARGV[3], ARGV[4]
local calm_ms, on_call = tonumber(ARGV[5]), ARGV[6]
-- include: base

local function keep(begun_ms, low_ms, alerted_ms, about)
  if alerted_ms == 0 and on_call ~= "" then
    alerted_ms = now_ms
    line("surge.alerted", "", "", "", { "surge_id", surge_id, "agents", on_call })
  end
  local words = { text(begun_ms), text(low_ms), text(alerted_ms), about }
  redis.call("HSET", key("surges"), surge_id, table.concat(words, " "))
end

local held = redis.call("HGET", key("surges"), surge_id)
if not held then
  if level ~= "high" then return { "again" } end
  line("surge.begun", "", "", "", '{"surge_id":' .. cjson.encode(surge_id) .. "," .. string.sub(subject, 2))
  bump("turn")
  keep(now_ms, 0, 0, subject)
  return { "begun" }
end
local begun, low, alerted, about = string.match(held, "^(%d+) (%d+) (%d+) (.*)$")
local begun_ms, low_ms, alerted_ms = tonumber(begun), tonumber(low), tonumber(alerted)
if level ~= "low" then
  low_ms = 0
elseif low_ms == 0 then
  low_ms = now_ms
elseif now_ms - low_ms >= calm_ms then
  redis.call("HDEL", key("surges"), surge_id)
  line("surge.ended", "", "", "", { "surge_id", surge_id, "begun_ms", begun_ms })
  bump("turn")
  return { "ended" }
end
keep(begun_ms, low_ms, alerted_ms, about)
return { "again" }
