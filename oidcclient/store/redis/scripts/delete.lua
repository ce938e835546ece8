local base, key, version = ARGV[1], ARGV[2], ARGV[3]

local old = redis.call('HMGET', KEYS[1], 'version', 'names')
if not old[1] then
  return GONE
elseif version ~= '0' and old[1] ~= version then
  return CONFLICT
end
redis.call('DEL', KEYS[1])
leave(base, key, old[2], now())
return DONE
