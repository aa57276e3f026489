import { baseSettings, countMax, timeWindow } from '../circuit-options.ts'
import { checkDuration, checkInteger, checkNames, checkNumber, type Duration } from '../option-checks.ts'
import type { CircuitSettings } from '../settings.ts'

/** Those of opossum's options that a circuit goes by. */
export interface OpossumOptions {
  /** Default 10 s. Here only the lease of the probe depends on it. */
  readonly timeout?: Duration
  /** Percents; opens above them. Default 50. */
  readonly errorThresholdPercentage?: number
  /** Default 30 s. */
  readonly resetTimeout?: Duration
  /** Default 10 s. */
  readonly rollingCountTimeout?: Duration
  /** Default 10. */
  readonly rollingCountBuckets?: number
  /** Default 0. */
  readonly volumeThreshold?: number
}

const opossumDefaults: Required<OpossumOptions> = {
  timeout: 10_000,
  errorThresholdPercentage: 50,
  resetTimeout: 30_000,
  rollingCountTimeout: 10_000,
  rollingCountBuckets: 10,
  volumeThreshold: 0,
}

/**
 * opossum 10: `>`, one probe. Differs on purpose: the window is empty after a close, late results are fenced, the wait
 * is counted from the opening, and the half-open state begins with a call and not with a timer.
 *
 * @throws InvalidOptionError naming the option.
 */
export function opossum(options: OpossumOptions = {}): CircuitSettings {
  checkNames('opossum', options, Object.keys(opossumDefaults))
  const given = { ...opossumDefaults, ...options }
  const resetTimeout = checkDuration('resetTimeout', given.resetTimeout)
  return {
    ...baseSettings,
    window: timeWindow(
      { size: 'rollingCountTimeout', buckets: 'rollingCountBuckets' },
      given.rollingCountTimeout,
      given.rollingCountBuckets,
    ),
    volumeThreshold: checkInteger('volumeThreshold', given.volumeThreshold, 0, countMax),
    errorThreshold: checkNumber('errorThresholdPercentage', given.errorThresholdPercentage, 0, 100) / 100,
    operator: '>',
    openFor: () => resetTimeout,
    probeTimeout: Math.max(checkDuration('timeout', given.timeout), resetTimeout),
  }
}
