local base = ARGV[1]

local smallest, size = KEYS[1], redis.call('ZCARD', KEYS[1])
for i = 2, #KEYS do
  local other = redis.call('ZCARD', KEYS[i])
  if other < size then
    smallest, size = KEYS[i], other
  end
end
local function everywhere(key)
  for _, index in ipairs(KEYS) do
    if not redis.call('ZSCORE', index, key) then
      return false
    end
  end
  return true
end
local time, count = now(), 0
for _, key in ipairs(redis.call('ZRANGE', smallest, 0, -1)) do
  if everywhere(key) then
    local record = base .. 's:' .. key
    local names = redis.call('HGET', record, 'names')
    if names then
      redis.call('DEL', record)
      leave(base, key, names, time)
      count = count + 1
    else
      for _, index in ipairs(KEYS) do
        redis.call('ZREM', index, key)
        tidy(index, time)
      end
    end
  end
end
return count
