-- now returns the engine's time in milliseconds.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- text writes a time without an exponent.
local function text(time)
  return string.format('%.0f', time)
end

-- tidy drops what has expired from an index, and has it expire with its last
-- member.
local function tidy(index, time)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', '(' .. text(time))
  local last = redis.call('ZREVRANGE', index, 0, 0, 'WITHSCORES')
  if last[2] then
    redis.call('PEXPIREAT', index, text(tonumber(last[2])))
  end
end

-- join enters a record that expires at a time in the indexes of its names.
local function join(base, key, names, expires, time)
  for name in string.gmatch(names, '%S+') do
    local index = base .. 'n:' .. name
    redis.call('ZADD', index, text(expires), key)
    tidy(index, time)
  end
end

-- leave takes a record out of the indexes of its names.
local function leave(base, key, names, time)
  for name in string.gmatch(names, '%S+') do
    local index = base .. 'n:' .. name
    redis.call('ZREM', index, key)
    tidy(index, time)
  end
end

local DONE, GONE, CONFLICT, LEASED = 0, 1, 2, 3
