-- One token bucket per AWS account. Redis and Valkey run a script as a whole, and by their own clock.
--
-- KEYS: the bucket's hash, the hash of calls by account, the sign that a delivery was held back. ARGV: what to do ("begin", "take", "slow"), the account, urgent
-- ("1" or "0"); then, but for "begin", calls per second, burst and the longest wait in seconds.
-- Answers {1, seconds to wait} where it may be done then, else {0, seconds after which to ask again}.
local what, lane, is_urgent = ARGV[1], ARGV[2], ARGV[3] == '1'
local rate, burst, longest = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

-- How many calls may be booked ahead before another delivery begins: enough that none of the pace is lost.
local AHEAD = 2
local URGENT_FOR = 2
local SLOW_FOR = 60

local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'slow_until', 'urgent_until', 'rate', 'burst')
if what == 'begin' then
  rate, burst = tonumber(held[5]), tonumber(held[6])
  -- Nobody has called this account for long: its bucket is full.
  if not rate then return {1, '0'} end
end
local tokens = tonumber(held[1] or burst)
local at = math.min(now, tonumber(held[2] or now))
local slow_until, urgent_until = tonumber(held[3] or 0), tonumber(held[4] or 0)

local slow_seconds = math.max(0, math.min(now, slow_until) - at)
tokens = math.min(burst, tokens + (now - at - slow_seconds / 2) * rate)

local reserve = 0
if is_urgent then
  urgent_until = now + URGENT_FOR
elseif now < urgent_until then
  -- What less urgent calls leave in the bucket while somebody waits for an urgent one.
  reserve = math.min(burst / 4, burst - 1)
end

local done, wait = 1, 0
if what == 'slow' then
  slow_until = now + SLOW_FOR
  tokens = math.min(tokens, 0)
else
  local needed = reserve + 1
  if what == 'begin' and reserve == 0 then needed = -AHEAD end
  wait = math.max(0, (needed - tokens) / (now < slow_until and rate / 2 or rate))
  if what == 'begin' then
    done = wait == 0 and 1 or 0
    if done == 0 then redis.call('SET', KEYS[3], '1', 'EX', 60) end
  elseif wait > longest or (reserve > 0 and wait > 0) then
    -- What is less urgent books nothing ahead, so that whoever comes meanwhile goes before it.
    done = 0
  else
    tokens = tokens - 1
    redis.call('HINCRBY', KEYS[2], lane, 1)
  end
end

local function text(number) return string.format('%.6f', number) end
redis.call('HSET', KEYS[1], 'tokens', text(tokens), 'at', text(now), 'slow_until', text(slow_until),
  'urgent_until', text(urgent_until), 'rate', rate, 'burst', burst)
-- A bucket that nobody asks for is full by then, and at its full pace.
redis.call('EXPIRE', KEYS[1], math.ceil(2 * (burst - tokens) / rate) + SLOW_FOR)
return {done, text(wait)}
