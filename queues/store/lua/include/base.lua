-- Keys, texts, records and journal lines; every script has these. Expects `now_ms`, a number.
local T = KEYS[1] .. ":"

local function key(kind, id)
  return id and T .. kind .. ":" .. id or T .. kind
end

-- All our numbers are whole.
local function text(value)
  if not value then return "" end
  return type(value) == "number" and string.format("%d", value) or tostring(value)
end

-- Fields of one record, each a text; what is absent is empty.
local function read(kind, id, ...)
  local values = redis.call("HMGET", key(kind, id), ...)
  for n = 1, #values do values[n] = values[n] or "" end
  return unpack(values)
end

local function write(kind, id, ...)
  local pairs_ = { ... }
  for n = 1, #pairs_ do pairs_[n] = text(pairs_[n]) end
  redis.call("HSET", key(kind, id), unpack(pairs_))
end

local function bump(counter)
  return redis.call("INCR", key(counter))
end

-- JSON in the order given: { name, value, ... }; { json = text } is taken as it is.
local function object(fields)
  local parts = {}
  for n = 1, #fields, 2 do
    local value = fields[n + 1]
    if type(value) == "table" then value = value.json
    elseif type(value) == "number" then value = text(value)
    else
      value = cjson.encode(value)
      if string.find(value, "/", 1, true) then value = string.gsub(value, "\\/", "/") end
    end
    parts[#parts + 1] = '"' .. fields[n] .. '":' .. value
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- One line of the journal; its id is later than every id before it.
local function line(type_, call_id, agent_id, offer_id, data)
  local last_ms = tonumber(redis.call("GET", key("last_ms")) or 0)
  local seq = 0
  if now_ms > last_ms then
    last_ms = now_ms
    redis.call("MSET", key("last_ms"), text(now_ms), key("last_seq"), 0)
  else
    seq = bump("last_seq")
  end
  local id = text(last_ms) .. "-" .. text(seq)
  redis.call("XADD", key("journal"), id, "type", type_, "at_ms", text(now_ms), "call_id", call_id,
    "agent_id", agent_id, "offer_id", offer_id, "data", type(data) == "string" and data or object(data))
  return id
end
