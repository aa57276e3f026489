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
 * resilience4j's IntervalFunction: `wait * multiplier^(attempt - 1)` up to what the property `maxName` says, spread by the
 * factor; at least `min`.
 */
export function intervalOf(
  wait: number,
  read: (property: string) => Value | undefined,
  { maxName, min, random }: { readonly maxName: string; readonly min: number; readonly random: Random },
): (attempt: number) => number {
  const grows = read('enableExponentialBackoff') === true
  const multiplier = grows ? numberOf('exponentialBackoffMultiplier', read, 1.5, 1, 1000) : 1
  const most = numberOf(maxName, read, durationMax, 1, durationMax)
  const spread = read('enableRandomizedWait') === true ? numberOf('randomizedWaitFactor', read, 0.5, 0, 1) : 0
  return (attempt) => {
    const whole = grows ? grown(wait, attempt, multiplier, most) : wait
    return Math.min(durationMax, Math.max(min, whole * (1 - spread + 2 * spread * random.next())))
  }
}

/** Step by step, as there: whole milliseconds each time. */
function grown(wait: number, attempt: number, multiplier: number, most: number): number {
  let whole = wait
  for (let n = 1; n < attempt && whole < most; n++) {
    const next = Math.trunc(whole * multiplier)
    if (next === whole) break
    whole = next
  }
  return Math.min(whole, most)
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
