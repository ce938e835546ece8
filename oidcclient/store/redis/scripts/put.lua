local base, key, version, following = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local data, names, expires, lasts = ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8])

local old = redis.call('HMGET', KEYS[1], 'version', 'names')
if old[1] and old[1] ~= version then
  return CONFLICT
elseif not old[1] and version ~= '0' then
  return GONE
end
-- The first change is one that a full Redis refuses, so that nothing is half done.
redis.call('HSET', KEYS[1], 'version', following, 'data', data, 'names', names, 'expires', expires)
redis.call('HDEL', KEYS[1], 'holder', 'until')
local time = now()
redis.call('PEXPIREAT', KEYS[1], text(time + lasts))
if old[2] and old[2] ~= names then
  leave(base, key, old[2], time)
end
join(base, key, names, time + lasts, time)
return DONE
