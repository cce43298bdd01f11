-- How an agent's presence changes, and what happens when his work is over.
local function tell_presence(agent_id)
  local state, reason, wished, skills, idle_ms = read("agent", agent_id, "state", "reason", "next", "skills", "idle_ms")
  line("agent.presence_changed", "", agent_id, "", { "presence", state, "reason", reason, "next", wished,
    "skills", skills, "idle_ms", tonumber(idle_ms) })
end

local function enter_pool(agent_id, idle_ms, skills)
  redis.call("ZADD", key("ready"), idle_ms, agent_id)
  redis.call("ZADD", key("pool", skills), idle_ms, agent_id)
  redis.call("SADD", key("pools"), skills)
end

local function leave_pool(agent_id, skills)
  redis.call("ZREM", key("ready"), agent_id)
  redis.call("ZREM", key("pool", skills), agent_id)
  if redis.call("EXISTS", key("pool", skills)) == 0 then redis.call("SREM", key("pools"), skills) end
end

local function set_presence(agent_id, presence, reason)
  local skills, idle_ms = read("agent", agent_id, "skills", "idle_ms")
  if presence == "ready" then
    move("agent", agent_id, "release", "reason", "")
    enter_pool(agent_id, idle_ms, skills)
    bump("turn")
  else
    leave_pool(agent_id, skills)
    if presence == "away" then
      move("agent", agent_id, "rest", "reason", reason)
    else
      redis.call("ZREM", key("beats"), agent_id)
      redis.call("SREM", key("agents"), agent_id)
      move("agent", agent_id, "leave", "reason", "")
    end
  end
  tell_presence(agent_id)
end

local function start_wrap_up(agent_id, call_id, wrap_up_ms)
  local until_ms = now_ms + wrap_up_ms
  move("agent", agent_id, "wrap_up", "wrap_up_until_ms", until_ms, "offer_id", "")
  redis.call("ZADD", key("deadlines"), text(until_ms), "wrap_up:" .. agent_id)
  line("agent.wrap_up_started", call_id, agent_id, "", { "until_ms", until_ms })
end

-- He rests for that reason, else what he wished happens, else he is ready. idle_ms nil: his idle time runs on.
local function release(agent_id, idle_ms, rest)
  local wished = read("agent", agent_id, "next")
  if rest ~= "" and wished ~= "signed_out" then wished = "away:" .. rest end
  write("agent", agent_id, "next", "", "call_id", "", "offer_id", "", "wrap_up_until_ms", "", "is_extended", 0)
  if idle_ms then write("agent", agent_id, "idle_ms", idle_ms) end
  redis.call("ZREM", key("deadlines"), "wrap_up:" .. agent_id)
  local presence, reason = string.match(wished, "^([^:]*):?(.*)$")
  set_presence(agent_id, presence == "" and "ready" or presence, reason)
end
