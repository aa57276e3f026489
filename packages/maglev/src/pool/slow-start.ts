import { type Duration, parsePositiveDuration } from '../duration.ts'
import { MaglevError, shown } from '../errors.ts'

export interface SlowStartOptions {
  /** How long a backend takes to full weight. */
  readonly window: Duration
  /** 1, the default, is linear; more rises faster at first, less slower. */
  readonly aggression?: number
  /** Least fraction of its weight that a backend has, 0 to 1. Default 0.1. */
  readonly minWeight?: number
  /** Different weights on the way, the first and the last included; each costs a rebuild. Default 8. */
  readonly steps?: number
}

/** The options with their defaults, checked; `window` in milliseconds. */
export interface SlowStart {
  readonly window: number
  readonly aggression: number
  readonly minWeight: number
  readonly steps: number
}

/** The fraction of its weight that a backend has now, and when that changes. */
export interface SlowStartStep {
  readonly factor: number
  /** Milliseconds after the start at which the next step begins; undefined once the weight is whole. */
  readonly next: number | undefined
}

const slowStartOptions: readonly string[] = [
  'window',
  'aggression',
  'minWeight',
  'steps',
] satisfies (keyof SlowStartOptions)[]
const stepsMax = 1000
/** The ramp is never looked at before its first second. */
const leastElapsed = 1000

/** @throws MaglevError `INVALID_OPTION` */
export function checkSlowStart(given: Duration | SlowStartOptions): SlowStart {
  const options = typeof given === 'object' && given !== null ? given : { window: given }
  for (const name of Object.keys(options)) {
    if (slowStartOptions.includes(name)) continue
    throw new MaglevError(
      'INVALID_OPTION',
      `slowStart has no ${shown(name)}; it may have ${slowStartOptions.join(', ')}`,
    )
  }
  const { aggression = 1, minWeight = 0.1, steps = 8 } = options
  const window = parsePositiveDuration('slowStart.window', options.window)
  if (typeof aggression !== 'number' || !Number.isFinite(aggression) || aggression <= 0) {
    throw new MaglevError(
      'INVALID_OPTION',
      `slowStart.aggression must be a finite number above 0, not ${shown(aggression)}`,
    )
  }
  if (typeof minWeight !== 'number' || !(minWeight >= 0 && minWeight <= 1)) {
    throw new MaglevError(
      'INVALID_OPTION',
      `slowStart.minWeight must be a fraction from 0 to 1, not ${shown(minWeight)}`,
    )
  }
  if (!Number.isInteger(steps) || steps < 2 || steps > stepsMax) {
    throw new MaglevError(
      'INVALID_OPTION',
      `slowStart.steps must be a whole number from 2 to ${stepsMax}, not ${shown(steps)}`,
    )
  }
  return { window, aggression, minWeight, steps }
}

/**
 * The fraction of its weight that a backend has `elapsed` milliseconds after it began:
 * `max(minWeight, (max(t, 1 s) / window) ^ (1 / aggression))`, 1 after the window. Source: envoyproxy/envoy, slow_start.rst.
 */
export function slowStartFactor({ window, aggression, minWeight }: SlowStart, elapsed: number): number {
  if (elapsed >= window) return 1
  const progress = Math.min(1, Math.max(elapsed, leastElapsed) / window)
  return Math.max(minWeight, aggression === 1 ? progress : progress ** (1 / aggression))
}

/**
 * As `slowStartFactor` in steps, so that a ramp costs `steps` rebuilds at most: what it begins with, then the multiples of
 * `1 / steps` above that, from the second on, each from the moment at which the ramp passes it.
 */
export function slowStartStep(slowStart: SlowStart, elapsed: number): SlowStartStep {
  const { window, aggression, steps } = slowStart
  const now = Math.max(elapsed, leastElapsed)
  let factor = slowStartFactor(slowStart, 0)
  for (let step = 2; step <= steps; step++) {
    const goal = step / steps
    if (goal <= factor) continue
    const begin = Math.ceil(window * goal ** aggression)
    if (begin > now) return { factor, next: begin }
    factor = goal
  }
  return { factor, next: undefined }
}
