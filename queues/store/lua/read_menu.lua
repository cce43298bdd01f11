-- read_menu: how many callers are at each node of the menu now; at its beginning they are told by their line.
-- Reads only.
-- KEYS
--   1 site
-- ARGV
--   1 now_ms
-- REPLY
--   ok                then one JSON text: {nodes: {node: callers}, lines: {line: callers}}
local now_ms = tonumber(ARGV[1])
-- include: base

local nodes, lines = {}, {}
for _, call_id in ipairs(redis.call("ZRANGE", key("live"), 0, -1)) do
  local state, node, line_ = read("call", call_id, "state", "node", "line")
  if state == "menu" and node ~= "" then nodes[node] = (nodes[node] or 0) + 1
  elseif state == "menu" then lines[line_] = (lines[line_] or 0) + 1 end
end
return { "ok", cjson.encode({ nodes = nodes, lines = lines }) }
