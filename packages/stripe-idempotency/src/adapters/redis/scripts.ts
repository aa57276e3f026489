import { hash } from 'node:crypto'
import type { Script } from './client.ts'

// A record is one hash, KEYS[1]; a field that is not there is null. ARGV[1] is the time to take, in milliseconds, or
// empty for the server's own; ARGV[2] the channel on which records that somebody waits for are told.
const clock = `
local now = tonumber(ARGV[1])
if now == nil then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local function digits(number) return string.format('%.0f', number) end
`
const tell = `
local function tell(awaited, id)
  if not awaited then return end
  redis.call('HDEL', KEYS[1], 'awaited')
  redis.call('PUBLISH', ARGV[2], id)
end
`
const complete = `
local function complete(response, expires)
  redis.call('HSET', KEYS[1], 'state', 'completed', 'response', response)
  if ARGV[1] == '' then redis.call('PEXPIRE', KEYS[1], digits(math.max(1, expires - now))) end
end
`
const append = `
local function append(name, entry)
  redis.call('HSET', KEYS[1], 'recovery_point', name,
    'journal', (redis.call('HGET', KEYS[1], 'journal') or '') .. entry)
end
`

/** Puts a new record where there is none: `[1, now]`; else `[0, now, fields]`. */
export const claimScript: Script = script(`${clock}
if redis.call('EXISTS', KEYS[1]) == 1 then return { 0, digits(now), redis.call('HGETALL', KEYS[1]) } end
redis.call('HSET', KEYS[1], 'state', 'claimed', 'fence', '1', 'id', ARGV[3], 'endpoint', ARGV[4],
  'fingerprint', ARGV[5], 'owner', ARGV[6], 'lease_ends', digits(now + ARGV[7]), 'created_at', digits(now),
  'expires_at', digits(now + ARGV[8]))
if #ARGV > 8 then redis.call('HSET', KEYS[1], 'operation', ARGV[9], 'input', ARGV[10]) end
return { 1, digits(now) }
`)

/** `[0, now, fields]`. */
export const findScript: Script = script(`${clock}return { 0, digits(now), redis.call('HGETALL', KEYS[1]) }`)

/** Puts the fields from ARGV[9] on in the place of the record that ARGV[3] to ARGV[8] tell: 1, or 0 where it is another. */
export const replaceScript: Script = script(`${tell}
local found = redis.call('HMGET', KEYS[1], 'id', 'fence', 'state', 'lease_ends', 'journal', 'erased', 'awaited')
if found[1] ~= ARGV[3] or found[2] ~= ARGV[4] or found[3] ~= ARGV[5] or found[4] ~= ARGV[6] then return 0 end
if #(found[5] or '') ~= tonumber(ARGV[7]) or (found[6] or '') ~= ARGV[8] then return 0 end
tell(found[7], ARGV[3])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 9))
return 1
`)

/** What the holder ARGV[3] to ARGV[5] does, ARGV[6] with ARGV[7] and ARGV[8]: 1, or 0 where it holds the record no longer. */
export const changeScript: Script = script(`${clock}${tell}${complete}${append}
local found = redis.call('HMGET', KEYS[1], 'id', 'fence', 'owner', 'state', 'awaited', 'expires_at')
if found[1] ~= ARGV[3] or found[2] ~= ARGV[4] or found[3] ~= ARGV[5] or found[4] ~= 'claimed' then return 0 end
local change = ARGV[6]
if change == 'renew' then
  redis.call('HSET', KEYS[1], 'lease_ends', digits(now + ARGV[7]))
  return 1
elseif change == 'advance' then
  append(ARGV[7], ARGV[8])
  return 1
end
tell(found[5], ARGV[3])
if change == 'complete' then
  complete(ARGV[7], found[6])
elseif change == 'leave' then
  redis.call('HSET', KEYS[1], 'lease_ends', '0')
elseif change == 'release' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HSET', KEYS[1], 'state', 'uncertain', 'why', ARGV[7])
end
return 1
`)

/** Settles the uncertain record ARGV[3], ARGV[4] with ARGV[5] and ARGV[6]: 1, or 0 where it is not, or not uncertain. */
export const settleScript: Script = script(`${clock}${tell}${complete}${append}
local found = redis.call('HMGET', KEYS[1], 'id', 'state', 'awaited', 'expires_at')
if found[1] ~= ARGV[3] or found[2] ~= 'uncertain' then return 0 end
tell(found[3], ARGV[3])
if ARGV[4] == 'complete' then
  complete(ARGV[5], found[4])
elseif ARGV[4] == 'reopen' then
  redis.call('HSET', KEYS[1], 'state', 'claimed', 'lease_ends', '0', 'fence', digits(redis.call('HGET', KEYS[1], 'fence') + 1))
  redis.call('HDEL', KEYS[1], 'why')
  append(ARGV[5], ARGV[6])
else
  redis.call('DEL', KEYS[1])
end
return 1
`)

/** Forgets what was asked and answered: 1, or 0 where there is no record. */
export const eraseScript: Script = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[1], 'response', 'journal')
redis.call('HSET', KEYS[1], 'erased', '1')
if redis.call('HEXISTS', KEYS[1], 'operation') == 1 then redis.call('HSET', KEYS[1], 'input', '') end
return 1
`)

/** Asks for a message when the record ARGV[3] changes: 1, or 0 where it has changed. */
export const awaitScript: Script = script(`
local found = redis.call('HMGET', KEYS[1], 'id', 'state', 'lease_ends')
if found[1] ~= ARGV[3] or found[2] ~= 'claimed' or found[3] == '0' then return 0 end
redis.call('HSET', KEYS[1], 'awaited', '1')
return 1
`)

function script(text: string): Script {
  return { text, sha: hash('sha1', text) }
}
