local base, key, expires, lasts = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local names = redis.call('HGET', KEYS[1], 'names')
if not names then
  return GONE
end
redis.call('HSET', KEYS[1], 'expires', expires)
local time = now()
redis.call('PEXPIREAT', KEYS[1], text(time + lasts))
join(base, key, names, time + lasts, time)
return DONE
