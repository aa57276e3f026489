import { baseSettings, countMax, timeWindow } from '../circuit-options.ts'
import { checkDuration, checkInteger, checkNames, checkShare, type Duration } from '../option-checks.ts'
import type { CircuitSettings } from '../settings.ts'

/** The names of Polly's CircuitBreakerStrategyOptions, in camelCase. */
export interface PollyOptions {
  /** Above 0 and up to 1; default 0.1. */
  readonly failureRatio?: number
  /** At least 2; default 100. */
  readonly minimumThroughput?: number
  /** Default 30 s. */
  readonly samplingDuration?: Duration
  /** Default 5 s. */
  readonly breakDuration?: Duration
}

const pollyDefaults: Required<PollyOptions> = {
  failureRatio: 0.1,
  minimumThroughput: 100,
  samplingDuration: 30_000,
  breakDuration: 5000,
}

/**
 * Polly v8: `>=`, ten slices, one probe. Polly gives out another probe after each break while one hangs; here the
 * probe's lease of one break ends as a failure, and the next probe comes a break later.
 *
 * @throws InvalidOptionError naming the option.
 */
export function polly(options: PollyOptions = {}): CircuitSettings {
  checkNames('polly', options, Object.keys(pollyDefaults))
  const given = { ...pollyDefaults, ...options }
  const breakDuration = checkDuration('breakDuration', given.breakDuration)
  return {
    ...baseSettings,
    window: timeWindow('samplingDuration', given.samplingDuration, 10),
    volumeThreshold: checkInteger('minimumThroughput', given.minimumThroughput, 2, countMax),
    errorThreshold: checkShare('failureRatio', given.failureRatio, 1),
    openFor: () => breakDuration,
    probeTimeout: breakDuration,
  }
}
