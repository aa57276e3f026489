import { CelError } from './cel-error.ts'
import { formatFixed } from './double.ts'
import { checkedInt } from './integer.ts'

/** A span of time in nanoseconds, in 64 bits, as Go's `time.Duration`. */
export class Duration {
  readonly nanoseconds: bigint
  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds
  }
}

const second = 1_000_000_000

const units: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1000],
  ['\u00b5s', 1000],
  ['\u03bcs', 1000],
  ['ms', 1_000_000],
  ['s', second],
  ['m', 60 * second],
  ['h', 3600 * second],
])

const limit = 2n ** 63n

/** As Go's `time.ParseDuration`: `1h30m`, `-1.5s`, `0`; undefined where it is none or does not fit. */
export function parseDuration(text: string): Duration | undefined {
  const isNegative = text[0] === '-'
  let rest = isNegative || text[0] === '+' ? text.slice(1) : text
  if (rest === '0') return new Duration(0n)
  if (rest === '') return undefined
  let total = 0n
  while (rest !== '') {
    const part = parsePart(rest)
    if (part === undefined) return undefined
    total += part.nanoseconds
    if (total > limit) return undefined
    rest = part.rest
  }
  if (isNegative) return new Duration(-total)
  return total === limit ? undefined : new Duration(total)
}

/** A number and its unit at the start of `text`. */
function parsePart(text: string): { nanoseconds: bigint; rest: string } | undefined {
  const wholeEnd = digitsEnd(text, 0)
  const fractionStart = text[wholeEnd] === '.' ? wholeEnd + 1 : wholeEnd
  const fractionEnd = fractionStart > wholeEnd ? digitsEnd(text, fractionStart) : wholeEnd
  const fraction = text.slice(fractionStart, fractionEnd)
  if (wholeEnd === 0 && fraction === '') return undefined
  let unitEnd = fractionEnd
  while (unitEnd < text.length && text[unitEnd] !== '.' && digitsEnd(text, unitEnd) === unitEnd) unitEnd++
  const unit = units.get(text.slice(fractionEnd, unitEnd))
  if (unit === undefined || wholeEnd > 4096) return undefined
  const whole = BigInt(text.slice(0, wholeEnd) || '0') * BigInt(unit)
  if (whole > limit) return undefined
  return { nanoseconds: whole + fractionOf(fraction, unit), rest: text.slice(unitEnd) }
}

/** In doubles, as Go does it. Digits beyond 63 bits have no weight. */
function fractionOf(fraction: string, unit: number): bigint {
  let [value, divisor] = [0n, 1]
  for (const digit of fraction) {
    const next = value * 10n + BigInt(digit)
    if (value > (limit - 1n) / 10n || next > limit) break
    value = next
    divisor *= 10
  }
  return BigInt(Math.trunc(Number(value) * (unit / divisor)))
}

function digitsEnd(text: string, start: number): number {
  let end = start
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code < 48 || code > 57) break
  }
  return end
}

/** In a double, as Go's `Duration.Seconds`. */
function secondsOf({ nanoseconds }: Duration): number {
  return inUnits(nanoseconds, second)
}

function inUnits(nanoseconds: bigint, unit: number): number {
  const size = BigInt(unit)
  return Number(nanoseconds / size) + Number(nanoseconds % size) / unit
}

/** As CEL's `string(duration)`: seconds, without an exponent. */
export function formatDuration(duration: Duration): string {
  return `${formatFixed(secondsOf(duration))}s`
}

/** The whole duration in hours, minutes, seconds or milliseconds, cut off. */
export function durationPart(part: string, duration: Duration): bigint | undefined {
  const { nanoseconds } = duration
  switch (part) {
    case 'getHours':
      return BigInt(Math.trunc(inUnits(nanoseconds, 3600 * second)))
    case 'getMinutes':
      return BigInt(Math.trunc(inUnits(nanoseconds, 60 * second)))
    case 'getSeconds':
      return BigInt(Math.trunc(secondsOf(duration)))
    case 'getMilliseconds':
      return nanoseconds / 1_000_000n
    default:
      return undefined
  }
}

export function checkedDuration(nanoseconds: bigint): Duration | CelError {
  const checked = checkedInt(nanoseconds)
  return checked instanceof CelError ? checked : new Duration(checked)
}
