import { IdempotencyError, shown } from './errors.ts'

/** Milliseconds, or a number with a unit: `'250ms'`, `'30s'`, `'1.5m'`, `'1h'`, `'1d'`. */
export type Duration = number | string

const units: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/** What a timer of Node can wait, about 24.8 days. */
const durationMax: number = 2 ** 31 - 1

const retentionMax = 3652 * 86_400_000

/**
 * Milliseconds of the option `name`.
 *
 * @throws IdempotencyError `invalid_option` for what is not a duration of 0 to 2^31 - 1 ms.
 */
export function parseDuration(name: string, duration: unknown): number {
  const ms = typeof duration === 'string' ? read(duration) : duration
  if (typeof ms === 'number' && ms >= 0 && ms <= durationMax) return ms
  throw new IdempotencyError(
    'invalid_option',
    `${name} must be a duration of 0 to 24 days, in milliseconds or like '30s', not ${shown(duration)}`,
  )
}

/** As `parseDuration`, for what is kept rather than waited for: up to ten years. */
export function parseRetention(name: string, duration: unknown): number {
  const ms = typeof duration === 'string' ? read(duration) : duration
  if (typeof ms === 'number' && ms >= 0 && ms <= retentionMax) return ms
  throw new IdempotencyError(
    'invalid_option',
    `${name} must be a duration of 0 to 3652 days, in milliseconds or like '30d', not ${shown(duration)}`,
  )
}

/** As `parseDuration`, above 0. */
export function parsePositiveDuration(name: string, duration: unknown): number {
  return above0(name, duration, parseDuration(name, duration))
}

/** As `parseRetention`, above 0. */
export function parsePositiveRetention(name: string, duration: unknown): number {
  return above0(name, duration, parseRetention(name, duration))
}

function above0(name: string, duration: unknown, ms: number): number {
  if (ms > 0) return ms
  throw new IdempotencyError('invalid_option', `${name} must be a duration above 0, not ${shown(duration)}`)
}

function read(text: string): number | undefined {
  const [, number, unit] = /^(\d{1,16}(?:\.\d{1,9})?) ?(ms|s|m|h|d)?$/.exec(text) ?? []
  return number === undefined ? undefined : Number(number) * (units.get(unit ?? 'ms') ?? 1)
}
