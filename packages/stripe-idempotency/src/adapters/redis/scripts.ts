import { hash } from 'node:crypto'
import type { Script } from './client.ts'

// A record is one string, KEYS[1], as `record-text.ts` writes it; the two that complete it take many. ARGV[1] is the time to
// take, in milliseconds, or empty for the server's own; where it is given nothing expires by itself. ARGV[2] is the channel on
// which records that somebody waits for are told. Numbers of up to 14 digits become text as they are.

/** Puts a new record of the parts ARGV[5], its lease ARGV[3], kept for ARGV[4], where there is none: the time; else `[now, record]`. */
export const claimScript: Script = script(`
local now = tonumber(ARGV[1])
if now == nil then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local new = 'c-' .. now .. ' ' .. now + ARGV[3] .. ' ' .. now + ARGV[4] .. ' 1 ' .. ARGV[5]
if redis.call('SET', KEYS[1], new, 'NX') then return now end
return { now, redis.call('GET', KEYS[1]) }
`)

/**
 * Completes the record of each key by three of ARGV from the third on: the parts of its holder, its id, its answer. For each
 * of them 1, 0 where the holder holds the record no longer, or what Redis says is wrong with the key.
 */
export const completeScript: Script = script(`
local done = {}
local time = redis.call('TIME')
local now = tonumber(ARGV[1]) or time[1] * 1000 + math.floor(time[2] / 1000)
for n, key in ipairs(KEYS) do
  local parts, id, answer = ARGV[n * 3], ARGV[n * 3 + 1], ARGV[n * 3 + 2]
  local found = redis.pcall('GET', key)
  done[n] = 0
  if type(found) == 'table' then
    done[n] = found.err
  elseif found then
    local awaited, begun, created, expires, rest, at = string.match(found, '^c(.)((%d+) %d+ )(%d+)() %d+ ()')
    if at and string.sub(found, at, at + #parts - 1) == parts then
      -- The last part of what was erased is a 1, else it is a -.
      if string.sub(found, -1) == '1' then answer = '' end
      -- As keptUntil of record.ts.
      local late = now + math.floor((expires - created) / 10)
      if late > tonumber(expires) then expires = late end
      local completed = 'd-' .. begun .. expires .. string.sub(found, rest) .. answer
      if ARGV[1] == '' then
        redis.call('SET', key, completed, 'PXAT', expires)
      else
        redis.call('SET', key, completed)
      end
      if awaited == 'a' then redis.call('PUBLISH', ARGV[2], id) end
      done[n] = 1
    end
  end
end
return done
`)

/** `[now, record]`. */
export const findScript: Script = script(`
local time = redis.call('TIME')
local now = tonumber(ARGV[1]) or time[1] * 1000 + math.floor(time[2] / 1000)
return { now, redis.call('GET', KEYS[1]) }
`)

/**
 * By four of ARGV for each key, from the third on: what the record begins with that is replaced, what takes its place, when
 * that expires, empty for never, and the id to tell of that changed, empty for none. An empty record deletes. For each of
 * them 1, 0 where it is another one, or what Redis says is wrong with the key.
 */
export const replaceScript: Script = script(`
local done = {}
for n, key in ipairs(KEYS) do
  local head, put, expires, id = ARGV[n * 4 - 1], ARGV[n * 4], ARGV[n * 4 + 1], ARGV[n * 4 + 2]
  local found = redis.pcall('GETRANGE', key, 0, #head - 1)
  done[n] = 1
  if found ~= head then
    done[n] = type(found) == 'table' and found.err or 0
  elseif put == '' then
    redis.call('DEL', key)
  elseif expires ~= '' and ARGV[1] == '' then
    redis.call('SET', key, put, 'PXAT', expires)
  else
    redis.call('SET', key, put)
  end
  if done[n] == 1 and id ~= '' then redis.call('PUBLISH', ARGV[2], id) end
end
return done
`)

/** Asks for a message when the record of the id in the part ARGV[3] changes: 1, or 0 where it has changed. */
export const awaitScript: Script = script(`
local found = redis.call('GET', KEYS[1])
if not found then return 0 end
local lease, at = string.match(found, '^c.%d+ (%d+) %d+ %d+ ()')
if not at or lease == '0' or string.sub(found, at, at + #ARGV[3] - 1) ~= ARGV[3] then return 0 end
redis.call('SETRANGE', KEYS[1], 1, 'a')
return 1
`)

function script(text: string): Script {
  return { text, sha: hash('sha1', text) }
}
