import { hash } from 'node:crypto'
import type { Script } from './client.ts'

// A record is one string, KEYS[1], as `record-text.ts` writes it; the completing script takes many. ARGV[1] is the time to
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
for n, key in ipairs(KEYS) do
  local parts, id, answer = ARGV[n * 3], ARGV[n * 3 + 1], ARGV[n * 3 + 2]
  local found = redis.pcall('GET', key)
  done[n] = 0
  if type(found) == 'table' then
    done[n] = found.err
  elseif found then
    local awaited, expires, at = string.match(found, '^c(.)%d+ %d+ (%d+) %d+ ()')
    if at and string.sub(found, at, at + #parts - 1) == parts then
      local completed = 'd-' .. string.sub(found, 3) .. answer
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
 * Puts ARGV[4] in the place of the record that begins with ARGV[3], to expire at ARGV[5] where that is not empty, or deletes
 * it where ARGV[4] is; tells that ARGV[6] changed where that is not empty. 1, or 0 where it is another one.
 */
export const replaceScript: Script = script(`
local found = redis.call('GETRANGE', KEYS[1], 0, #ARGV[3] - 1)
if found ~= ARGV[3] then return 0 end
if ARGV[4] == '' then
  redis.call('DEL', KEYS[1])
elseif ARGV[5] ~= '' and ARGV[1] == '' then
  redis.call('SET', KEYS[1], ARGV[4], 'PXAT', ARGV[5])
else
  redis.call('SET', KEYS[1], ARGV[4])
end
if ARGV[6] ~= '' then redis.call('PUBLISH', ARGV[2], ARGV[6]) end
return 1
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
