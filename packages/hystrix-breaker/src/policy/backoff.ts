import { InvalidOptionError, shown } from '../errors.ts'
import {
  checkDuration,
  checkNames,
  checkNumber,
  checkRandom,
  type Duration,
  durationMax,
} from '../option-checks.ts'
import { type Random, realRandom } from '../ports.ts'

/** Milliseconds before the `attempt`-th retry, or of the `attempt`-th open state in a row, counted from 1. */
export interface Backoff {
  (attempt: number): number
  /** The same for one run of attempts, where each wait depends on the one before. */
  forRun?(): (attempt: number) => number
}

export interface ExponentialOptions {
  /** Default 100 ms. */
  readonly initial?: Duration
  /** Of at least 1. Default 2. */
  readonly factor?: number
  /** Default 30 s. */
  readonly max?: Duration
  /**
   * `none`; `full`: evenly from 0 to the whole; `decorrelated`: spread around the exponential curve, each wait depending on
   * the one before; or the share of each wait, 0 to 1, that is drawn. Default `none`.
   */
  readonly jitter?: 'none' | 'full' | 'decorrelated' | number
  /** Default: `Math.random`. */
  readonly random?: Random
}

/**
 * Waits that grow: `min(initial * factor^(attempt - 1), max)`. `full` draws `random * that` (Brooker, Exponential Backoff
 * And Jitter, 2015); `decorrelated` is Polly's DecorrelatedJitterBackoffV2.
 *
 * @throws InvalidOptionError naming the option.
 */
export function exponential(options: ExponentialOptions = {}): Backoff {
  checkNames('exponential', options, ['initial', 'factor', 'max', 'jitter', 'random'])
  const { factor = 2, jitter = 'none', random = realRandom } = options
  const initial = checkDuration('initial', options.initial ?? 100)
  const max = checkDuration('max', options.max ?? 30_000)
  checkNumber('factor', factor, 1, 1000)
  checkRandom(random)
  const whole = (attempt: number): number => Math.min(initial * factor ** (attempt - 1), max)
  if (jitter === 'none') return whole
  if (jitter === 'full') return (attempt) => random.next() * whole(attempt)
  if (jitter === 'decorrelated') return decorrelated({ initial, factor, max, random })
  if (typeof jitter !== 'number')
    throw new InvalidOptionError(
      `jitter must be none, full, decorrelated or a number of 0 to 1, not ${shown(jitter)}`,
    )
  const share = checkNumber('jitter', jitter, 0, 1)
  return (attempt) => Math.max(1, whole(attempt) * (1 - share * random.next()))
}

// Polly's constants: how steep the curve begins, and what brings its median to `initial`.
const steepness = 4
const scale = 1 / 1.4

interface DecorrelatedOptions {
  readonly initial: number
  readonly factor: number
  readonly max: number
  readonly random: Random
}

function decorrelated({ initial, factor, max, random }: DecorrelatedOptions): Backoff {
  const forRun = (): ((attempt: number) => number) => {
    let previous = 0
    return (attempt) => {
      const t = attempt - 1 + random.next()
      const next = factor ** t * Math.tanh(Math.sqrt(steepness * t))
      const rise = Number.isFinite(next) ? Math.max(0, next - previous) : Infinity
      previous = next
      return Math.min(rise * scale * initial, max)
    }
  }
  let shared = forRun()
  const own = (attempt: number): number => {
    if (attempt === 1) shared = forRun()
    return shared(attempt)
  }
  return Object.assign(own, { forRun })
}

/** Whose answers are kept within 0 ms and 24 days; where it throws or gives no number, the wait is 0. @throws InvalidOptionError */
export function readBackoff(name: string, value: unknown): () => (attempt: number) => number {
  if (isBackoff(value)) {
    return () => {
      const waitOf = value.forRun?.() ?? value
      return (attempt) => {
        const ms = waitOf(attempt)
        return ms > 0 ? Math.min(ms, durationMax) : 0
      }
    }
  }
  const ms = value === 0 ? 0 : checkDuration(name, value)
  return () => () => ms
}

function isBackoff(value: unknown): value is Backoff {
  return typeof value === 'function'
}
