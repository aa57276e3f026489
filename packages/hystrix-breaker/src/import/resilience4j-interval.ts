import { InvalidOptionError, shown } from '../errors.ts'
import { durationMax } from '../option-checks.ts'
import type { Random } from '../ports.ts'
import type { Kind, Value } from './resilience4j-section.ts'

/** Properties that only ask for a function between waits. */
export const intervalKinds: Readonly<Record<string, Kind>> = {
  enableExponentialBackoff: 'flag',
  exponentialBackoffMultiplier: 'number',
  enableRandomizedWait: 'flag',
  randomizedWaitFactor: 'number',
}

/**
 * resilience4j's IntervalFunction: `wait * multiplier^(attempt - 1)`, spread by the factor, up to what the property `maxName`
 * says; whole milliseconds. The maximum and the factor hold where they stand in the file; resilience4j
 * overlooks them where others of these properties do not stand beside them.
 */
export function intervalOf(
  wait: number,
  read: (property: string) => Value | undefined,
  { maxName, random }: { readonly maxName: string; readonly random: Random },
): (attempt: number) => number {
  const multiplier = numberOf('exponentialBackoffMultiplier', read, 1.5, 0.001, 1000)
  const most = numberOf(maxName, read, durationMax, 1, durationMax)
  const factor = numberOf('randomizedWaitFactor', read, 0.5, 0, 1 - Number.EPSILON)
  const grows = read('enableExponentialBackoff') === true
  const spreads = read('enableRandomizedWait') === true
  if ((grows || spreads) && wait < 1)
    throw new InvalidOptionError(`the wait must be at least 1 ms where it grows or is random, not ${wait}`)
  return (attempt) => {
    const whole = grows ? grown(wait, attempt, multiplier) : wait
    const drawn = spreads ? spread(whole, factor, random) : whole
    return Math.min(durationMax, grows ? Math.min(drawn, most) : drawn)
  }
}

// The largest long of Java.
const longMax = 2 ** 63

/** Step by step, as there: whole milliseconds each time. */
function grown(wait: number, attempt: number, multiplier: number): number {
  let whole = wait
  for (let n = 1; n < attempt; n++) {
    const next = Math.min(longMax, Math.trunc(whole * multiplier))
    if (next === whole) break
    whole = next
  }
  return whole
}

function spread(whole: number, factor: number, random: Random): number {
  const least = whole - factor * whole
  return Math.trunc(Math.max(1, least + random.next() * (whole + factor * whole - least + 1)))
}

function numberOf(
  name: string,
  read: (property: string) => Value | undefined,
  fallback: number,
  min: number,
  max: number,
): number {
  const value = read(name) ?? fallback
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw new InvalidOptionError(`${name} must be a number of ${min} to ${max}, not ${shown(value)}`)
}
