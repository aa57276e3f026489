import { InvalidOptionError } from './errors.ts'
import { checkDuration, checkNumber, type Duration, durationMax } from './option-checks.ts'
import type { Random } from './ports.ts'

/** How long a circuit stays open the `attempt`-th time in a row, counted from 1, in milliseconds. */
export type OpenInterval = (attempt: number) => number

export interface ExponentialOptions {
  readonly initial: Duration
  /** Of at least 1. Default 2. */
  readonly factor?: number
  readonly max: Duration
  /** The share of each interval, 0 to 1, that is drawn anew. Default 0; needs `random`. */
  readonly jitter?: number
  readonly random?: Random
}

/**
 * `min(initial * factor^(attempt - 1), max)`, of which the last `jitter` part is drawn evenly.
 *
 * @throws InvalidOptionError naming the option.
 */
export function exponential({
  initial,
  factor = 2,
  max,
  jitter = 0,
  random,
}: ExponentialOptions): OpenInterval {
  const first = checkDuration('initial', initial)
  const longest = checkDuration('max', max)
  checkNumber('factor', factor, 1, 1000)
  checkNumber('jitter', jitter, 0, 1)
  if (jitter > 0 && random === undefined) {
    throw new InvalidOptionError('jitter needs random, an object with next() of [0, 1)')
  }
  return (attempt) => {
    const full = Math.min(first * factor ** (attempt - 1), longest)
    return random === undefined ? full : Math.max(1, full - full * jitter * random.next())
  }
}

/** A duration, or a function whose answers are kept within 1 ms and 24 days. @throws InvalidOptionError */
export function readOpenInterval(name: string, value: Duration | OpenInterval): OpenInterval {
  if (typeof value !== 'function') {
    const ms = checkDuration(name, value)
    return () => ms
  }
  const first = checkDuration(`${name}(1)`, value(1))
  return (attempt) => {
    try {
      const ms = value(attempt)
      return ms >= 0 ? Math.min(Math.max(ms, 1), durationMax) : first
    } catch {
      // A circuit must open all the same.
      return first
    }
  }
}
