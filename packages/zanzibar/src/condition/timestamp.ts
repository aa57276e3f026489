import { CelError } from './cel-error.ts'
import { checkedDuration, Duration } from './duration.ts'
import { checkedInt, intOverflow, isDigits } from './integer.ts'
import { quote } from './quote.ts'

/** An instant, with the offset it was written in, which only its text shows. */
export class Timestamp {
  /** Of Unix time. */
  readonly seconds: number
  /** 0 to 999,999,999. */
  readonly nanoseconds: number
  /** Of the local time to UTC, in seconds. */
  readonly offset: number
  constructor(seconds: number, nanoseconds: number, offset = 0) {
    this.seconds = seconds
    this.nanoseconds = nanoseconds
    this.offset = offset
  }
}

/** The first second of the year 1 and the last one of 9999. */
const minSeconds = -62_135_596_800
const maxSeconds = 253_402_300_799

const overflow = new CelError('timestamp overflow')

/** As Go's `time.Parse(time.RFC3339, …)`, which lets an hour have one digit and a comma stand before the fraction. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const hourEnd = text[12] === ':' ? 12 : 13
  const secondsEnd = hourEnd + 6
  const [year, month, day] = [numberAt(text, 0, 4), numberAt(text, 5, 7), numberAt(text, 8, 10)]
  const [hour, minute] = [numberAt(text, 11, hourEnd), numberAt(text, hourEnd + 1, hourEnd + 3)]
  const second = numberAt(text, hourEnd + 4, secondsEnd)
  const marks = `${text[4]}${text[7]}${text[10]}${text[hourEnd]}${text[hourEnd + 3]}`
  if (marks !== '--T::' || hour > 23 || minute > 59 || second > 59) return undefined
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month))) return undefined
  const fraction = parseFraction(text, secondsEnd)
  const offset = parseOffset(text.slice(fraction.end))
  if (offset === undefined || Number.isNaN(year + hour + minute + second)) return undefined
  const seconds = daysFromEpoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
  return new Timestamp(seconds - offset, fraction.nanoseconds, offset)
}

/** CEL's `timestamp(text)`: RFC 3339 without Go's leniency, in the years 1 to 9999. */
export function timestampOfText(text: string): Timestamp | CelError {
  if (!isStrict(text)) return new CelError(`invalid RFC 3339 timestamp ${quote(text)}`)
  const parsed = parseTimestamp(text)
  if (parsed === undefined)
    return new CelError("type conversion error from 'string' to 'google.protobuf.Timestamp'")
  return inRange(parsed.seconds) ? parsed : overflow
}

/** CEL's `timestamp(int)`. */
export function timestampOfSeconds(seconds: bigint): Timestamp | CelError {
  const number = Number(seconds)
  return inRange(number) ? new Timestamp(number, 0) : overflow
}

export function addDuration(timestamp: Timestamp, duration: Duration): Timestamp | CelError {
  const nanoseconds = BigInt(timestamp.nanoseconds) + duration.nanoseconds
  const carried = floorDivide(nanoseconds, 1_000_000_000n)
  const seconds = timestamp.seconds + Number(carried)
  if (!inRange(seconds)) return overflow
  return new Timestamp(seconds, Number(nanoseconds - carried * 1_000_000_000n), timestamp.offset)
}

export function subtractDuration(timestamp: Timestamp, duration: Duration): Timestamp | CelError {
  const negated = checkedInt(-duration.nanoseconds)
  return negated instanceof CelError ? negated : addDuration(timestamp, new Duration(negated))
}

/** The time between two instants, which overflows beyond 292 years. */
export function between(one: Timestamp, other: Timestamp): Duration | CelError {
  const seconds = checkedInt(BigInt(one.seconds - other.seconds) * 1_000_000_000n)
  if (seconds instanceof CelError) return intOverflow
  return checkedDuration(seconds + BigInt(one.nanoseconds - other.nanoseconds))
}

export function compareTimestamps(one: Timestamp, other: Timestamp): number {
  return Math.sign(one.seconds - other.seconds || one.nanoseconds - other.nanoseconds)
}

/** RFC 3339 in the offset it was written in, with the digits of its fraction that count. */
export function formatTimestamp({ seconds, nanoseconds, offset }: Timestamp): string {
  const local = new Date((seconds + offset) * 1000)
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0')
  const date = `${pad(local.getUTCFullYear(), 4)}-${pad(local.getUTCMonth() + 1)}-${pad(local.getUTCDate())}`
  const time = `${pad(local.getUTCHours())}:${pad(local.getUTCMinutes())}:${pad(local.getUTCSeconds())}`
  const digits = pad(nanoseconds, 9).replace(/0+$/, '')
  const minutes = Math.trunc(Math.abs(offset) / 60)
  const zone =
    offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${pad(Math.trunc(minutes / 60))}:${pad(minutes % 60)}`
  return `${date}T${time}${digits === '' ? '' : `.${digits}`}${zone}`
}

/** A part of the local time `offset` seconds east of UTC; months, days of the year and days of the month count from 0. */
export function timestampPart(part: string, timestamp: Timestamp, offset: number): bigint | undefined {
  const seconds = timestamp.seconds + offset
  const local = new Date(seconds * 1000)
  switch (part) {
    case 'getFullYear':
      return BigInt(local.getUTCFullYear())
    case 'getMonth':
      return BigInt(local.getUTCMonth())
    case 'getDayOfYear':
      return BigInt(Math.floor(seconds / 86_400) - daysFromEpoch(local.getUTCFullYear(), 1, 1))
    case 'getDayOfMonth':
      return BigInt(local.getUTCDate() - 1)
    case 'getDate':
      return BigInt(local.getUTCDate())
    case 'getDayOfWeek':
      return BigInt(local.getUTCDay())
    case 'getHours':
      return BigInt(local.getUTCHours())
    case 'getMinutes':
      return BigInt(local.getUTCMinutes())
    case 'getSeconds':
      return BigInt(local.getUTCSeconds())
    case 'getMilliseconds':
      return BigInt(Math.trunc(timestamp.nanoseconds / 1_000_000))
    default:
      return undefined
  }
}

function inRange(seconds: number): boolean {
  return seconds >= minSeconds && seconds <= maxSeconds
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  return value % divisor < 0n ? quotient - 1n : quotient
}

/** NaN where the place does not hold digits only. */
function numberAt(text: string, start: number, end: number): number {
  const digits = text.slice(start, end)
  return digits.length === end - start && isDigits(digits) ? Number(digits) : Number.NaN
}

function parseFraction(text: string, start: number): { nanoseconds: number; end: number } {
  if (text[start] !== '.' && text[start] !== ',') return { nanoseconds: 0, end: start }
  let end = start + 1
  while (end < text.length && isDigits(text.charAt(end))) end++
  // A point without digits is left standing, where the offset should be.
  if (end === start + 1) return { nanoseconds: 0, end: start }
  return { nanoseconds: Number(text.slice(start + 1, Math.min(end, start + 10)).padEnd(9, '0')), end }
}

/** In seconds. */
function parseOffset(text: string): number | undefined {
  if (text === 'Z') return 0
  const sign = text[0] === '+' ? 1 : text[0] === '-' ? -1 : 0
  const [hours, minutes] = [numberAt(text, 1, 3), numberAt(text, 4, 6)]
  const isWhole = sign !== 0 && text.length === 6 && text[3] === ':'
  return isWhole && hours <= 24 && minutes <= 60 ? sign * (hours * 3600 + minutes * 60) : undefined
}

const strict =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

function isStrict(text: string): boolean {
  return strict.test(text)
}

function daysOf(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

function daysFromEpoch(year: number, month: number, day: number): number {
  // setUTCFullYear takes years below 100 as they are, which Date.UTC does not.
  return new Date(0).setUTCFullYear(year, month - 1, day) / 86_400_000
}
