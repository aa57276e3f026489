import { InvalidOptionError, shown } from './errors.ts'
import type { Clock, Random } from './ports.ts'

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
export const durationMax: number = 2 ** 31 - 1

/** Milliseconds of the option `name`, above 0. @throws InvalidOptionError */
export function checkDuration(name: string, duration: unknown): number {
  const ms = typeof duration === 'string' ? read(duration) : duration
  if (typeof ms === 'number' && ms > 0 && ms <= durationMax) return ms
  throw new InvalidOptionError(
    `${name} must be a duration above 0 and up to 24 days, in milliseconds or like '30s', not ${shown(duration)}`,
  )
}

/** A whole number of `min` to `max`. @throws InvalidOptionError */
export function checkInteger(name: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw new InvalidOptionError(`${name} must be a whole number of ${min} to ${max}, not ${shown(value)}`)
}

/** A finite number of `min` to `max`. @throws InvalidOptionError */
export function checkNumber(name: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw new InvalidOptionError(`${name} must be a number of ${min} to ${max}, not ${shown(value)}`)
}

/** A number above 0 and up to `max`. @throws InvalidOptionError */
export function checkShare(name: string, value: unknown, max: number): number {
  if (typeof value === 'number' && value > 0 && value <= max) return value
  throw new InvalidOptionError(`${name} must be a number above 0 and up to ${max}, not ${shown(value)}`)
}

/** @throws InvalidOptionError */
export function checkFlag(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new InvalidOptionError(`${name} must be true or false, not ${shown(value)}`)
}

/** @throws InvalidOptionError */
export function checkFunction<F extends (...args: never[]) => unknown>(name: string, value: F): F {
  if (typeof value === 'function') return value
  throw new InvalidOptionError(`${name} must be a function, not ${shown(value)}`)
}

/** @throws InvalidOptionError */
export function checkClock(clock: Clock): Clock {
  for (const operation of ['now', 'monotonic', 'setTimeout', 'clearTimeout'] as const) {
    if (typeof clock?.[operation] !== 'function')
      throw new InvalidOptionError(
        `clock must have a function ${operation}, not ${shown(clock?.[operation])}`,
      )
  }
  return clock
}

/** @throws InvalidOptionError */
export function checkRandom(random: Random): Random {
  if (typeof random?.next === 'function') return random
  throw new InvalidOptionError(`random must have a function next, not ${shown(random?.next)}`)
}

/** @throws InvalidOptionError */
export function checkObject(what: string, options: unknown): asserts options is object {
  if (options === null || typeof options !== 'object' || Array.isArray(options))
    throw new InvalidOptionError(`${what} must be an object, not ${shown(options)}`)
}

/** An object of which every key is one of `known`, and none is null. @throws InvalidOptionError */
export function checkNames(what: string, options: unknown, known: readonly string[]): void {
  checkObject(what, options)
  const strange = Object.keys(options).find((key) => !known.includes(key))
  if (strange !== undefined) {
    throw new InvalidOptionError(`${what}: there is no ${shown(strange)}; there are ${known.join(', ')}`)
  }
  const empty = Object.entries(options).find(([, value]) => value === null)
  if (empty !== undefined)
    throw new InvalidOptionError(`${what}: ${empty[0]} must not be null: leave it out for its default`)
}

function read(text: string): number | undefined {
  const [, number, unit] = /^(\d{1,16}(?:\.\d{1,9})?) ?(ms|s|m|h|d)?$/.exec(text) ?? []
  return number === undefined ? undefined : Number(number) * (units.get(unit ?? 'ms') ?? 1)
}
