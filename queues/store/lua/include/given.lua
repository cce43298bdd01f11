-- What the caller keyed, by name; its JSON has the names in order.
local function read_given(call_id)
  local json = read("call", call_id, "given")
  return json == "" and {} or cjson.decode(json)
end

local function write_given(call_id, given)
  local names, fields = {}, {}
  for name in pairs(given) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    fields[#fields + 1] = name
    fields[#fields + 1] = given[name]
  end
  write("call", call_id, "given", #names > 0 and object(fields) or "")
end

-- The ticket's number as people key it: 42 and 0000042 are one; empty when it is none.
local function number_in(digits)
  if digits == "" or #digits > 12 then return "" end
  digits = string.gsub(digits, "^0+", "")
  return "T" .. string.rep("0", 6 - #digits) .. digits
end

-- Whose case an ended call asked about is nobody's business.
local function forget_asking(call_id)
  local given = read_given(call_id)
  if not (given.case_no or given.access_code) then return end
  given.case_no, given.access_code = nil, nil
  write_given(call_id, given)
end
