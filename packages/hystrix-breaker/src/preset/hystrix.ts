import { baseSettings, bucketsMax, countMax, timeWindow, type WindowNames } from '../circuit-options.ts'
import { InvalidOptionError, shown } from '../errors.ts'
import { checkDuration, checkFlag, checkInteger, checkNames } from '../option-checks.ts'
import type { CircuitSettings, State } from '../settings.ts'

/** Those of HystrixCommandProperties that a circuit goes by, without `hystrix.command.<key>.` */
export interface HystrixOptions {
  /** Default true; where false, the circuit is disabled. */
  readonly 'circuitBreaker.enabled'?: boolean
  /** Default 20. */
  readonly 'circuitBreaker.requestVolumeThreshold'?: number
  /** Default 5000. */
  readonly 'circuitBreaker.sleepWindowInMilliseconds'?: number
  /** Whole percents; default 50. */
  readonly 'circuitBreaker.errorThresholdPercentage'?: number
  /** Default false. */
  readonly 'circuitBreaker.forceOpen'?: boolean
  /** Default false; `forceOpen` goes before it. */
  readonly 'circuitBreaker.forceClosed'?: boolean
  /** Default 10000. */
  readonly 'metrics.rollingStats.timeInMilliseconds'?: number
  /** Default 10. */
  readonly 'metrics.rollingStats.numBuckets'?: number
  /** Default 1000. Here only the lease of the probe depends on it. */
  readonly 'execution.isolation.thread.timeoutInMilliseconds'?: number
  /** Default true. */
  readonly 'execution.timeout.enabled'?: boolean
}

const hystrixDefaults: Required<HystrixOptions> = {
  'circuitBreaker.enabled': true,
  'circuitBreaker.requestVolumeThreshold': 20,
  'circuitBreaker.sleepWindowInMilliseconds': 5000,
  'circuitBreaker.errorThresholdPercentage': 50,
  'circuitBreaker.forceOpen': false,
  'circuitBreaker.forceClosed': false,
  'metrics.rollingStats.timeInMilliseconds': 10_000,
  'metrics.rollingStats.numBuckets': 10,
  'execution.isolation.thread.timeoutInMilliseconds': 1000,
  'execution.timeout.enabled': true,
}

// Of the whole command and of its pool: accepted, so that one set of properties serves all, and of no effect on the
// circuit. Each with its check.
const commandProperties: ReadonlyMap<string, (name: string, value: unknown) => unknown> = new Map([
  ['name', checkText],
  ['group', checkText],
  ['coreSize', checkCount],
  ['maximumSize', checkCount],
  ['maxQueueSize', (name, value) => checkInteger(name, value, -1, countMax)],
  ['queueSizeRejectionThreshold', checkCount],
  ['keepAliveTimeMinutes', checkCount],
  ['allowMaximumSizeToDivergeFromCoreSize', checkFlag],
  ['execution.isolation.strategy', checkStrategy],
  ['execution.isolation.thread.interruptOnTimeout', checkFlag],
  ['execution.isolation.thread.interruptOnFutureCancel', checkFlag],
  ['execution.isolation.semaphore.maxConcurrentRequests', checkCount],
  ['fallback.isolation.semaphore.maxConcurrentRequests', checkCount],
  ['fallback.enabled', checkFlag],
  ['metrics.rollingPercentile.enabled', checkFlag],
  ['metrics.rollingPercentile.timeInMilliseconds', checkDuration],
  ['metrics.rollingPercentile.numBuckets', checkBuckets],
  ['metrics.rollingPercentile.bucketSize', (name, value) => checkInteger(name, value, 1, countMax)],
  ['metrics.healthSnapshot.intervalInMilliseconds', checkDuration],
  ['requestCache.enabled', checkFlag],
  ['requestLog.enabled', checkFlag],
])

function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string') throw new InvalidOptionError(`${name} must be a text, not ${shown(value)}`)
}

function checkCount(name: string, value: unknown): void {
  checkInteger(name, value, 0, 1_000_000)
}

function checkBuckets(name: string, value: unknown): void {
  checkInteger(name, value, 1, bucketsMax)
}

function checkStrategy(name: string, value: unknown): void {
  if (value !== 'THREAD' && value !== 'SEMAPHORE')
    throw new InvalidOptionError(`${name} must be THREAD or SEMAPHORE, not ${shown(value)}`)
}

/** The names of the properties of a rolling window. */
export function slicesOf(window: 'metrics.rollingStats' | 'metrics.rollingPercentile'): WindowNames {
  return { size: `${window}.timeInMilliseconds`, buckets: `${window}.numBuckets` }
}

/**
 * Hystrix 1.5.18: `>=`, one probe, a wait that must be over (`>`). Differs on purpose: judged on every outcome and not
 * every 500 ms, late results are fenced, a probe that hangs has a lease.
 *
 * @throws InvalidOptionError naming the option.
 */
export function hystrix(options: HystrixOptions = {}): CircuitSettings {
  checkNames('hystrix', options, [...Object.keys(hystrixDefaults), ...commandProperties.keys()])
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) commandProperties.get(name)?.(name, value)
  }
  const given = { ...hystrixDefaults, ...options }
  const flag = (name: keyof HystrixOptions): boolean => checkFlag(name, given[name])
  const duration = (name: keyof HystrixOptions): number => checkDuration(name, given[name])
  const sleepWindow = duration('circuitBreaker.sleepWindowInMilliseconds')
  const timeout = duration('execution.isolation.thread.timeoutInMilliseconds')
  const initial: State = !flag('circuitBreaker.enabled')
    ? 'disabled'
    : flag('circuitBreaker.forceOpen')
      ? 'forced-open'
      : flag('circuitBreaker.forceClosed')
        ? 'forced-closed'
        : 'closed'
  return {
    ...baseSettings,
    window: timeWindow(
      slicesOf('metrics.rollingStats'),
      given['metrics.rollingStats.timeInMilliseconds'],
      given['metrics.rollingStats.numBuckets'],
    ),
    volumeThreshold: checkInteger(
      'circuitBreaker.requestVolumeThreshold',
      given['circuitBreaker.requestVolumeThreshold'],
      0,
      countMax,
    ),
    errorThreshold:
      checkInteger(
        'circuitBreaker.errorThresholdPercentage',
        given['circuitBreaker.errorThresholdPercentage'],
        0,
        100,
      ) / 100,
    openFor: () => sleepWindow,
    operator: 'percent>=',
    wait: 'after',
    probeTimeout: flag('execution.timeout.enabled') ? Math.max(timeout, sleepWindow) : sleepWindow,
    initial,
    rejectionsCount: true,
  }
}
