local holder, lasts = ARGV[1], tonumber(ARGV[2])

local old = redis.call('HMGET', KEYS[1], 'version', 'holder', 'until')
if not old[1] then
  return {GONE}
end
local time = now()
local held = old[3] and tonumber(old[3]) > time
if held and old[2] ~= holder then
  return {LEASED}
end
redis.call('HSET', KEYS[1], 'holder', holder, 'until', text(time + lasts))
if not held then
  redis.call('HINCRBY', KEYS[1], 'version', 1)
end
return {DONE, redis.call('HMGET', KEYS[1], 'version', 'data', 'names', 'expires')}
