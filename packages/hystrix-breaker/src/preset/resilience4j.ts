import { baseSettings, bucketsMax, countMax } from '../circuit-options.ts'
import { InvalidOptionError, shown } from '../errors.ts'
import {
  checkDuration,
  checkFlag,
  checkInteger,
  checkNames,
  checkShare,
  type Duration,
} from '../option-checks.ts'
import type { CircuitSettings, WindowSettings } from '../settings.ts'

/** The names of CircuitBreakerConfig. */
export interface Resilience4jOptions {
  /** Percents, above 0 and up to 100; default 50. */
  readonly failureRateThreshold?: number
  /** Percents, above 0 and up to 100; default 100. */
  readonly slowCallRateThreshold?: number
  /** Default 60 s. */
  readonly slowCallDurationThreshold?: Duration
  /** Default 10. */
  readonly permittedNumberOfCallsInHalfOpenState?: number
  /** Default 0: for ever, and a probe that hangs is waited for. */
  readonly maxWaitDurationInHalfOpenState?: Duration
  /** What follows `maxWaitDurationInHalfOpenState`; default OPEN. */
  readonly transitionToStateAfterWaitDuration?: 'OPEN' | 'CLOSED'
  /** Default COUNT_BASED. */
  readonly slidingWindowType?: 'COUNT_BASED' | 'TIME_BASED'
  /** Calls, or whole seconds; default 100. */
  readonly slidingWindowSize?: number
  /** Default 100; in a count window at most its size. */
  readonly minimumNumberOfCalls?: number
  /** Default 60 s. */
  readonly waitDurationInOpenState?: Duration
  /** Default false. */
  readonly automaticTransitionFromOpenToHalfOpenEnabled?: boolean
}

const resilience4jDefaults: Required<Resilience4jOptions> = {
  failureRateThreshold: 50,
  slowCallRateThreshold: 100,
  slowCallDurationThreshold: 60_000,
  permittedNumberOfCallsInHalfOpenState: 10,
  maxWaitDurationInHalfOpenState: 0,
  transitionToStateAfterWaitDuration: 'OPEN',
  slidingWindowType: 'COUNT_BASED',
  slidingWindowSize: 100,
  minimumNumberOfCalls: 100,
  waitDurationInOpenState: 60_000,
  automaticTransitionFromOpenToHalfOpenEnabled: false,
}

/**
 * resilience4j 2.4.0: `>=` in single precision, slices of whole seconds, a wait that must be over (`>`), half-open
 * judged by rates after min(minimumNumberOfCalls, permitted) calls, and METRICS_ONLY for forced-closed. Differs on
 * purpose: late results are fenced.
 *
 * @throws InvalidOptionError naming the option.
 */
export function resilience4j(options: Resilience4jOptions = {}): CircuitSettings {
  checkNames('resilience4j', options, Object.keys(resilience4jDefaults))
  const given = { ...resilience4jDefaults, ...options }
  const wait = checkDuration('waitDurationInOpenState', given.waitDurationInOpenState)
  const permitted = checkInteger(
    'permittedNumberOfCallsInHalfOpenState',
    given.permittedNumberOfCallsInHalfOpenState,
    1,
    countMax,
  )
  const after = given.transitionToStateAfterWaitDuration
  if (after !== 'OPEN' && after !== 'CLOSED') {
    throw new InvalidOptionError(
      `transitionToStateAfterWaitDuration must be OPEN or CLOSED, not ${shown(after)}`,
    )
  }
  const window = readWindow(given.slidingWindowType, given.slidingWindowSize)
  const minimum = checkInteger('minimumNumberOfCalls', given.minimumNumberOfCalls, 1, countMax)
  return {
    ...baseSettings,
    window,
    volumeThreshold: window.type === 'count' ? Math.min(minimum, window.size) : minimum,
    errorThreshold: checkShare('failureRateThreshold', given.failureRateThreshold, 100) / 100,
    operator: 'float>=',
    slow: {
      over: checkDuration('slowCallDurationThreshold', given.slowCallDurationThreshold),
      rate: checkShare('slowCallRateThreshold', given.slowCallRateThreshold, 100) / 100,
    },
    openFor: () => wait,
    wait: 'after',
    autoHalfOpen: checkFlag(
      'automaticTransitionFromOpenToHalfOpenEnabled',
      given.automaticTransitionFromOpenToHalfOpenEnabled,
    ),
    probes: permitted,
    probeConcurrency: permitted,
    successThreshold: permitted,
    probeTimeout: Infinity,
    halfOpen: 'rate',
    halfOpenMax:
      given.maxWaitDurationInHalfOpenState === 0
        ? Infinity
        : checkDuration('maxWaitDurationInHalfOpenState', given.maxWaitDurationInHalfOpenState),
    afterHalfOpenMax: after === 'OPEN' ? 'open' : 'closed',
    forcedClosed: 'metrics-only',
  }
}

function readWindow(type: unknown, size: unknown): WindowSettings {
  if (type === 'COUNT_BASED')
    return { type: 'count', size: checkInteger('slidingWindowSize', size, 1, countMax) }
  if (type === 'TIME_BASED') {
    const seconds = checkInteger('slidingWindowSize', size, 1, bucketsMax)
    return { type: 'time', size: seconds * 1000, buckets: seconds }
  }
  throw new InvalidOptionError(`slidingWindowType must be COUNT_BASED or TIME_BASED, not ${shown(type)}`)
}
