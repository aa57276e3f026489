import { type Duration, parseDuration, parsePositiveDuration } from '../duration.ts'
import { MaglevError, shown } from '../errors.ts'

/**
 * The fields of Envoy's `outlier_detection` in camelCase, with its defaults but for `alwaysEjectOneHost`. Source:
 * envoyproxy/envoy, api/envoy/config/cluster/v3/outlier_detection.proto.
 */
export interface OutlierOptions {
  /** Time between looks at success rates and failure percentages, 1 ms or more. Default 10 s. */
  readonly interval?: Duration
  /** The n-th ejection in close succession takes n times so long. Default 30 s. */
  readonly baseEjectionTime?: Duration
  /** No ejection takes longer, jitter apart. Default 300 s, or `baseEjectionTime` where that is more. */
  readonly maxEjectionTime?: Duration
  /** Up to so much is added to each ejection, at random, in whole milliseconds. Default 0. */
  readonly maxEjectionTimeJitter?: Duration
  /** So many percent of the backends may be ejected at once. Default 10. */
  readonly maxEjectionPercent?: number
  /** One may be ejected even where that is more than `maxEjectionPercent`. Default true; in Envoy false since the option is there. */
  readonly alwaysEjectOneHost?: boolean
  /** Failures in a row that eject; 0 turns the rule off. Default 5 each. 5xx: any failure, of the connection too unless split. */
  readonly consecutive5xx?: number
  /** 502, 503, 504, and failed connections unless split. */
  readonly consecutiveGatewayFailure?: number
  /** Connections that failed or timed out. Counts only with `splitExternalLocalOriginErrors`. */
  readonly consecutiveLocalOriginFailure?: number
  /** Chance in percent that what a rule finds leads to an ejection. Default 100. */
  readonly enforcingConsecutive5xx?: number
  /** Default 0. */
  readonly enforcingConsecutiveGatewayFailure?: number
  /** Default 100. */
  readonly enforcingConsecutiveLocalOriginFailure?: number
  /** Default 100. */
  readonly enforcingSuccessRate?: number
  /** Default 100. */
  readonly enforcingLocalOriginSuccessRate?: number
  /** Default 0. */
  readonly enforcingFailurePercentage?: number
  /** Default 0. */
  readonly enforcingFailurePercentageLocalOrigin?: number
  /** So many backends need `successRateRequestVolume` before success rates are compared. Default 5. */
  readonly successRateMinimumHosts?: number
  /** Requests that a backend needs in one interval for its success rate to count. Default 100. */
  readonly successRateRequestVolume?: number
  /** Thousandths of the standard deviation by which a success rate may lie below the mean. Default 1900. */
  readonly successRateStdevFactor?: number
  /** Percent of failures, in one interval, at which a backend is ejected. Default 85. */
  readonly failurePercentageThreshold?: number
  /** So many backends need `failurePercentageRequestVolume` before failure percentages are looked at. Default 5. */
  readonly failurePercentageMinimumHosts?: number
  /** Requests that a backend needs in one interval for its failure percentage to count. Default 50. */
  readonly failurePercentageRequestVolume?: number
  /** Failed connections are counted apart from answers. Default false. */
  readonly splitExternalLocalOriginErrors?: boolean
  /** A passing active check ends an ejection. Default true. */
  readonly successfulActiveHealthCheckUnejectHost?: boolean
}

/** The options with their defaults, checked; durations in milliseconds. */
export type OutlierSettings = {
  readonly [Name in keyof OutlierOptions]-?: Exclude<OutlierOptions[Name], string | undefined>
}

const countMax = 2 ** 32 - 1

/** @throws MaglevError `INVALID_OPTION` for a wrong value, and for a name that there is not. */
export function checkOutlierOptions(
  options: { readonly [Name in keyof OutlierOptions]?: unknown },
): OutlierSettings {
  if (options === null || typeof options !== 'object') {
    throw new MaglevError(
      'INVALID_OPTION',
      `outlier must be true or an object of options, not ${shown(options)}`,
    )
  }
  const baseEjectionTime = parsePositiveDuration(
    'outlier.baseEjectionTime',
    options.baseEjectionTime ?? 30_000,
  )
  const settings: OutlierSettings = {
    interval: checkInterval(options.interval ?? 10_000),
    baseEjectionTime,
    maxEjectionTime: checkMaximum(
      options.maxEjectionTime ?? Math.max(300_000, baseEjectionTime),
      baseEjectionTime,
    ),
    maxEjectionTimeJitter: parseDuration('outlier.maxEjectionTimeJitter', options.maxEjectionTimeJitter ?? 0),
    maxEjectionPercent: percent('maxEjectionPercent', options.maxEjectionPercent ?? 10),
    alwaysEjectOneHost: flag('alwaysEjectOneHost', options.alwaysEjectOneHost ?? true),
    consecutive5xx: count('consecutive5xx', options.consecutive5xx ?? 5),
    consecutiveGatewayFailure: count('consecutiveGatewayFailure', options.consecutiveGatewayFailure ?? 5),
    consecutiveLocalOriginFailure: count(
      'consecutiveLocalOriginFailure',
      options.consecutiveLocalOriginFailure ?? 5,
    ),
    enforcingConsecutive5xx: percent('enforcingConsecutive5xx', options.enforcingConsecutive5xx ?? 100),
    enforcingConsecutiveGatewayFailure: percent(
      'enforcingConsecutiveGatewayFailure',
      options.enforcingConsecutiveGatewayFailure ?? 0,
    ),
    enforcingConsecutiveLocalOriginFailure: percent(
      'enforcingConsecutiveLocalOriginFailure',
      options.enforcingConsecutiveLocalOriginFailure ?? 100,
    ),
    enforcingSuccessRate: percent('enforcingSuccessRate', options.enforcingSuccessRate ?? 100),
    enforcingLocalOriginSuccessRate: percent(
      'enforcingLocalOriginSuccessRate',
      options.enforcingLocalOriginSuccessRate ?? 100,
    ),
    enforcingFailurePercentage: percent(
      'enforcingFailurePercentage',
      options.enforcingFailurePercentage ?? 0,
    ),
    enforcingFailurePercentageLocalOrigin: percent(
      'enforcingFailurePercentageLocalOrigin',
      options.enforcingFailurePercentageLocalOrigin ?? 0,
    ),
    successRateMinimumHosts: count('successRateMinimumHosts', options.successRateMinimumHosts ?? 5),
    successRateRequestVolume: count('successRateRequestVolume', options.successRateRequestVolume ?? 100),
    successRateStdevFactor: count('successRateStdevFactor', options.successRateStdevFactor ?? 1900),
    failurePercentageThreshold: percent(
      'failurePercentageThreshold',
      options.failurePercentageThreshold ?? 85,
    ),
    failurePercentageMinimumHosts: count(
      'failurePercentageMinimumHosts',
      options.failurePercentageMinimumHosts ?? 5,
    ),
    failurePercentageRequestVolume: count(
      'failurePercentageRequestVolume',
      options.failurePercentageRequestVolume ?? 50,
    ),
    splitExternalLocalOriginErrors: flag(
      'splitExternalLocalOriginErrors',
      options.splitExternalLocalOriginErrors ?? false,
    ),
    successfulActiveHealthCheckUnejectHost: flag(
      'successfulActiveHealthCheckUnejectHost',
      options.successfulActiveHealthCheckUnejectHost ?? true,
    ),
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(settings, name)) continue
    throw new MaglevError(
      'INVALID_OPTION',
      `outlier has no option ${shown(name)}; it has ${Object.keys(settings).join(', ')}`,
    )
  }
  return settings
}

function checkInterval(given: unknown): number {
  const interval = parseDuration('outlier.interval', given)
  if (interval >= 1) return interval
  throw new MaglevError('INVALID_OPTION', `outlier.interval must be 1 ms or more, not ${shown(given)}`)
}

function checkMaximum(given: unknown, baseEjectionTime: number): number {
  const maximum = parsePositiveDuration('outlier.maxEjectionTime', given)
  if (maximum >= baseEjectionTime) return maximum
  throw new MaglevError(
    'INVALID_OPTION',
    `outlier.maxEjectionTime must be baseEjectionTime, ${baseEjectionTime} ms, or more, not ${shown(given)}`,
  )
}

function percent(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 100) return value
  throw new MaglevError(
    'INVALID_OPTION',
    `outlier.${name} must be a whole percentage, 0 to 100, not ${shown(value)}`,
  )
}

function count(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= countMax) return value
  throw new MaglevError(
    'INVALID_OPTION',
    `outlier.${name} must be a whole number from 0 to ${countMax}, not ${shown(value)}`,
  )
}

function flag(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new MaglevError('INVALID_OPTION', `outlier.${name} must be true or false, not ${shown(value)}`)
}
