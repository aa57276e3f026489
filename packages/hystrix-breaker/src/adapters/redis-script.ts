import { createHash } from 'node:crypto'
import type { Answer, Exchange } from './redis-member.ts'

/** Whose exchange it is, and how long what it leaves behind is of use, in milliseconds. */
export interface ExchangeContext {
  readonly member: string
  readonly channel: string
  readonly tag: string
  readonly quorum: number
  readonly leaseTtl: number
  readonly reportTtl: number
  /** Redis time in milliseconds after which nothing may come of it any more; 0 where that is not known. */
  readonly deadline: number
}

/** What an exchange was answered, and when. */
export interface DatedAnswer extends Answer {
  /** Redis time in milliseconds. */
  readonly at: number
}

/**
 * Reads the record of a circuit and changes it as one step. KEYS: the record, the reports of the members, the probe
 * lease. A change needs the generation that the record has (compare and set), so an exchange that comes twice or late
 * changes nothing; and generations are the microseconds of Redis' clock, so that they go on upwards after its data were
 * lost, or written on both sides of a partition. A member that knows a later generation than Redis brings it back.
 */
export const exchangeScript: string = `
local id, channel, tag = ARGV[1], ARGV[2], ARGV[3]
local quorum, leaseTtl, reportTtl, deadline = tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local known = { generation = tonumber(ARGV[8]), state = ARGV[9], wait = tonumber(ARGV[10]), attempt = tonumber(ARGV[11]) }
local open, bad, total, failures, slow = ARGV[12], ARGV[13], ARGV[14], ARGV[15], ARGV[16]
local proposal, holds, wait = ARGV[17], ARGV[18], tonumber(ARGV[19])

local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = math.floor(micros / 1000)
local function digits(number) return string.format('%.0f', number) end

local stored = redis.call('HMGET', KEYS[1], 'generation', 'state', 'openedAt', 'wait', 'attempt', 'wanted', 'handovers')
local record = {
  generation = tonumber(stored[1] or 0), state = stored[2] or 'closed', openedAt = tonumber(stored[3] or 0),
  wait = tonumber(stored[4] or 0), attempt = tonumber(stored[5] or 0),
}
local wanted, handovers = stored[6] or '0', tonumber(stored[7] or 0)
local sum = { bad = 0, total = 0, failures = 0, slow = 0 }

local function waitLeft()
  if record.state ~= 'open' then return 0 end
  return math.max(0, math.min(record.wait, record.openedAt + record.wait - now))
end

local function publish()
  redis.call('PUBLISH', channel, table.concat(
    { tag, digits(record.generation), record.state, digits(waitLeft()), digits(record.attempt) }, ' '))
end

local function enter(state, generation, wait, attempt)
  record = { generation = generation, state = state, openedAt = now, wait = wait, attempt = attempt }
  wanted, handovers = '0', 0
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'generation', digits(generation), 'state', state, 'openedAt', digits(now),
    'wait', digits(wait), 'attempt', digits(attempt))
  redis.call('PEXPIRE', KEYS[1], 86400000)
  publish()
end

local function begin(state, wait, attempt)
  redis.call('DEL', KEYS[3])
  enter(state, math.max(micros, record.generation + 1), wait, attempt)
end

local function count()
  local opened = 0
  local reports = redis.call('HGETALL', KEYS[2])
  for field = 1, #reports, 2 do
    local at, isOpen, isBad, ofTotal, ofFailures, ofSlow =
      string.match(reports[field + 1], '^(%d+) (%d) (%d) (%d+) (%d+) (%d+)$')
    if at == nil or now - tonumber(at) > reportTtl then
      redis.call('HDEL', KEYS[2], reports[field])
    else
      opened = opened + isOpen
      sum.bad = sum.bad + math.max(isOpen, isBad)
      sum.total, sum.failures, sum.slow = sum.total + ofTotal, sum.failures + ofFailures, sum.slow + ofSlow
    end
  end
  return opened
end

local function whileClosed()
  if open == '0' and total == '0' then
    redis.call('HDEL', KEYS[2], id)
  else
    redis.call('HSET', KEYS[2], id, table.concat({ digits(now), open, bad, total, failures, slow }, ' '))
    redis.call('PEXPIRE', KEYS[2], reportTtl)
  end
  local opened = (open == '1' or bad == '1') and count() or 0
  if opened >= quorum or proposal == 'open' then begin('open', wait, 1) end
end

local function whileOpen()
  local holder = redis.call('GET', KEYS[3])
  local mine = holder == id
  -- 'restored' keeps others from a lease that Redis forgot; who holds that one, or was through, need not wait.
  local free = not holder or holder == 'restored'
  if proposal == 'reset' or (proposal == 'closed' and (mine or free)) then
    begin('closed', 0, 0)
  elseif proposal == 'reopen' and (mine or free) then
    begin('open', wait, record.attempt + 1)
  elseif proposal == 'lease' then
    if mine then
      redis.call('PEXPIRE', KEYS[3], leaseTtl)
    elseif holder == 'restored' and holds == '1' then
      redis.call('SET', KEYS[3], id, 'PX', leaseTtl)
    elseif waitLeft() == 0 and not redis.call('SET', KEYS[3], id, 'NX', 'PX', leaseTtl) then
      wanted = '1'
      redis.call('HSET', KEYS[1], 'wanted', wanted)
    end
  elseif mine and (proposal == 'release' or proposal == 'leave') then
    redis.call('DEL', KEYS[3])
    wanted, handovers = '0', handovers + 1
    redis.call('HSET', KEYS[1], 'wanted', wanted, 'handovers', digits(handovers))
    publish()
  end
end

local judged = deadline == 0 or now <= deadline
if judged then
  if known.generation > record.generation then
    enter(known.state, known.generation, known.wait, known.attempt)
    if known.state == 'open' then redis.call('SET', KEYS[3], 'restored', 'NX', 'PX', leaseTtl) end
  end
  if known.generation == record.generation then
    if record.state == 'closed' then whileClosed() else whileOpen() end
  end
end

return {
  digits(now), judged and '1' or '0', redis.call('GET', KEYS[3]) == id and '1' or '0', wanted, digits(handovers),
  digits(record.generation), record.state, digits(waitLeft()), digits(record.attempt),
  digits(sum.bad), digits(sum.total), digits(sum.failures), digits(sum.slow),
}
`

export const exchangeScriptSha: string = createHash('sha1').update(exchangeScript).digest('hex')

export function exchangeArguments(exchange: Exchange, context: ExchangeContext): string[] {
  const { known, report, proposal, holds, wait } = exchange
  const { member, channel, tag, quorum, leaseTtl, reportTtl, deadline } = context
  const numbers = [quorum, leaseTtl, reportTtl, deadline, known.generation].map(whole)
  const flag = (value: boolean): string => (value ? '1' : '0')
  return [
    member,
    channel,
    tag,
    ...numbers,
    known.state,
    whole(known.waitLeft),
    whole(known.attempt),
    flag(report.open),
    flag(report.bad),
    whole(report.total),
    whole(report.failures),
    whole(report.slow),
    proposal,
    flag(holds),
    whole(wait),
  ]
}

/** undefined where it is no answer of the script. */
export function readAnswer(reply: unknown): DatedAnswer | undefined {
  if (!Array.isArray(reply)) return undefined
  const [at, judged, lease, wanted, handovers, generation, state, waitLeft, attempt, ...sums] =
    reply.map(String)
  const record = readRecord(generation, state, waitLeft, attempt)
  const [bad, total, failures, slow] = sums.map(readWhole)
  const numbers = { at: readWhole(at), handovers: readWhole(handovers), bad, total, failures, slow }
  if (record === undefined || !allKnown(numbers)) return undefined
  const { at: answeredAt, handovers: passed, ...sum } = numbers
  return {
    at: answeredAt,
    judged: judged === '1',
    lease: lease === '1',
    wanted: wanted === '1',
    handovers: passed,
    record,
    sum,
  }
}

/** The tag and record of a published message; undefined where it is none of ours. */
export function readMessage(message: unknown): { tag: string; record: Answer['record'] } | undefined {
  if (typeof message !== 'string') return undefined
  const [tag, generation, state, waitLeft, attempt, ...rest] = message.split(' ', 6)
  const record = readRecord(generation, state, waitLeft, attempt)
  return tag === undefined || record === undefined || rest.length > 0 ? undefined : { tag, record }
}

function readRecord(
  generation: string | undefined,
  state: string | undefined,
  waitLeft: string | undefined,
  attempt: string | undefined,
): Answer['record'] | undefined {
  if (state !== 'open' && state !== 'closed') return undefined
  const numbers = {
    generation: readWhole(generation),
    waitLeft: readWhole(waitLeft),
    attempt: readWhole(attempt),
  }
  return allKnown(numbers) ? { state, ...numbers } : undefined
}

function allKnown<Name extends string>(
  numbers: Record<Name, number | undefined>,
): numbers is Record<Name, number> {
  return Object.values(numbers).every((each) => each !== undefined)
}

// Not in exponents, which Redis would not read.
function whole(value: number): string {
  return String(Math.min(Math.max(0, Math.round(value)), Number.MAX_SAFE_INTEGER))
}

function readWhole(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}
