import { HydraConfigError } from './errors.ts'
import { shown } from './shown.ts'

/** Milliseconds, or a string of a number and a unit: `'500ms'`, `'30s'`, `'5m'`, `'1h'`. */
export type Duration = number | string

const units: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
])

/** What a timer takes. */
const maxMs = 2 ** 31 - 1

/**
 * The duration in milliseconds.
 * @throws {HydraConfigError} `INVALID_OPTION`
 */
export function checkDuration(option: string, duration: unknown): number {
  const ms = typeof duration === 'string' ? read(duration) : duration
  if (typeof ms === 'number' && ms > 0 && ms <= maxMs) return ms
  throw new HydraConfigError(
    'INVALID_OPTION',
    `${option} must be a duration above 0 and up to 24 days, in milliseconds or like '30s', not ${shown(duration)}`,
  )
}

function read(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d{1,10}(?:\.\d{1,3})?) ?([a-z]+)$/.exec(text) ?? []
  const factor = units.get(unit)
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor
}
