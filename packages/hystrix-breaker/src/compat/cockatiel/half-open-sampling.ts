import { InvalidOptionError, shown } from '../../errors.ts'

export interface IHalfOpenSamplingOptions {
  /** Calls that a half-open circuit lets through before it closes. */
  calls: number
  /** The share of them, 0 up to below 1, that may fail. */
  threshold: number
}

/** How many calls a half-open circuit lets through, and how many must succeed. @throws InvalidOptionError */
export function halfOpenProbes({ calls, threshold }: IHalfOpenSamplingOptions = { calls: 1, threshold: 0 }): {
  readonly probes: number
  readonly successes: number
} {
  if (!Number.isSafeInteger(calls) || calls < 1) {
    throw new InvalidOptionError(
      `halfOpenSampling.calls must be a whole number of at least 1, not ${shown(calls)}`,
    )
  }
  if (typeof threshold !== 'number' || !(threshold >= 0 && threshold < 1)) {
    throw new InvalidOptionError(
      `halfOpenSampling.threshold must be a number of 0 up to below 1, not ${shown(threshold)}`,
    )
  }
  return { probes: calls, successes: calls - Math.floor(threshold * calls) }
}
