import { availableParallelism } from 'node:os'
import { InvalidOptionError, ResilienceError } from '../errors.ts'
import { checkDuration, checkInteger } from '../option-checks.ts'
import { type BulkheadPolicyOptions, bulkhead } from '../policy/bulkhead.ts'
import { circuitBreaker } from '../policy/circuit-breaker.ts'
import type { Policy } from '../policy/policy.ts'
import { type RetryOptions, retry } from '../policy/retry.ts'
import { timeout } from '../policy/timeout.ts'
import { type Random, realRandom } from '../ports.ts'
import { type Resilience4jOptions, resilience4j } from '../preset/resilience4j.ts'
import type { CircuitSettings } from '../settings.ts'
import { type Merged, SectionEntries, YamlFile } from './resilience4j-file.ts'
import { intervalKinds, intervalOf } from './resilience4j-interval.ts'
import type { Section } from './resilience4j-section.ts'

/** What stands in the file under a name. */
export interface Resilience4jInstanceOf<Options> {
  readonly name: string
  /** Durations in milliseconds. */
  readonly options: Options
  /** Properties that have no meaning here, such as lists of Java exceptions. */
  readonly ignored: readonly string[]
}

/** A circuit breaker of the file: `options` are for `presets.resilience4j(…)`; `isFailure` of a breaker says what counts. */
export interface Resilience4jInstance extends Resilience4jInstanceOf<Resilience4jOptions> {
  /** For `new Breaker({ circuit })`: the same, with the growing or random waits that `enableExponentialBackoff` and `enableRandomizedWait` ask for. */
  readonly circuit: CircuitSettings
}

export interface Resilience4jInstances<Instance> {
  /** By name, those below `instances`. */
  readonly instances: ReadonlyMap<string, Instance>
  /** Of a name: its own, or what `configs.default` says of one that has none. */
  instance(name: string): Instance
}

/** The circuit breakers of the file, and its other parts. */
export interface Resilience4jYaml extends Resilience4jInstances<Resilience4jInstance> {
  /**
   * `resilience4j.bulkhead`, for the policy `bulkhead`. Where `maxWaitDuration` lets calls wait, a million of them do at most.
   */
  readonly bulkheads: Resilience4jInstances<Resilience4jInstanceOf<BulkheadPolicyOptions>>
  /**
   * `resilience4j.thread-pool-bulkhead`, for the same: `maxThreadPoolSize` calls at once and `queueCapacity` that wait. Java
   * goes from `coreThreadPoolSize` to the maximum only when the queue is full; here calls do not wait below the maximum.
   */
  readonly threadPoolBulkheads: Resilience4jInstances<Resilience4jInstanceOf<BulkheadPolicyOptions>>
  /** `resilience4j.retry`, for the policy `retry`: as there, every error is retried and no budget limits them. */
  readonly retries: Resilience4jInstances<Resilience4jInstanceOf<RetryOptions>>
  /** `resilience4j.timelimiter`, for the policy `timeout`. */
  readonly timeLimiters: Resilience4jInstances<Resilience4jInstanceOf<{ readonly timeout: number }>>
  /**
   * For `pipeline(…)`: new policies of all instances of that name, in the order of resilience4j's aspects: retry, circuit
   * breaker, time limiter, bulkhead, thread pool bulkhead.
   *
   * @throws ResilienceError `INVALID_CONFIG` where it has a rate limiter, which there is none of here, or nothing at all.
   */
  policies(name: string): Policy[]
}

export interface Resilience4jYamlOptions {
  /** For `enableRandomizedWait`. Default: `Math.random`. */
  readonly random?: Random
}

// Properties: the setters of each InstanceProperties in resilience4j-framework-common 2.4.0.

const circuitBreakers: Section = {
  name: 'circuitbreaker',
  title: 'a circuit breaker',
  defaultOf: 'instance',
  kinds: {
    failureRateThreshold: 'number',
    slowCallRateThreshold: 'number',
    slowCallDurationThreshold: 'duration',
    permittedNumberOfCallsInHalfOpenState: 'integer',
    maxWaitDurationInHalfOpenState: 'duration',
    transitionToStateAfterWaitDuration: 'state',
    slidingWindowType: 'type',
    slidingWindowSize: 'integer',
    minimumNumberOfCalls: 'integer',
    waitDurationInOpenState: 'duration',
    automaticTransitionFromOpenToHalfOpenEnabled: 'flag',
    ...intervalKinds,
    exponentialMaxWaitDurationInOpenState: 'duration',
    baseConfig: 'text',
  },
  withoutMeaning: new Set([
    'allowHealthIndicatorToFail',
    'eventConsumerBufferSize',
    'ignoreClassBindingExceptions',
    'ignoreExceptionPredicate',
    'ignoreExceptions',
    'initialState',
    'recordExceptions',
    'recordFailurePredicate',
    'recordResultPredicate',
    'registerHealthIndicator',
    'slidingWindowSynchronizationStrategy',
    'writableStackTraceEnabled',
  ]),
}

const bulkheads: Section = {
  name: 'bulkhead',
  title: 'a bulkhead',
  defaultOf: 'all',
  kinds: { maxConcurrentCalls: 'integer', maxWaitDuration: 'duration', baseConfig: 'text' },
  withoutMeaning: new Set([
    'eventConsumerBufferSize',
    'fairCallHandlingEnabled',
    'writableStackTraceEnabled',
  ]),
}

const threadPoolBulkheads: Section = {
  name: 'threadpoolbulkhead',
  title: 'a thread pool bulkhead',
  defaultOf: 'all',
  kinds: {
    maxThreadPoolSize: 'integer',
    coreThreadPoolSize: 'integer',
    queueCapacity: 'integer',
    baseConfig: 'text',
  },
  withoutMeaning: new Set([
    'contextPropagators',
    'eventConsumerBufferSize',
    'keepAliveDuration',
    'writableStackTraceEnabled',
  ]),
}

const retries: Section = {
  name: 'retry',
  title: 'a retry',
  defaultOf: 'all',
  kinds: {
    maxAttempts: 'integer',
    waitDuration: 'duration',
    ...intervalKinds,
    exponentialMaxWaitDuration: 'duration',
    baseConfig: 'text',
  },
  withoutMeaning: new Set([
    'consumeResultBeforeRetryAttempt',
    'eventConsumerBufferSize',
    'failAfterMaxAttempts',
    'ignoreExceptions',
    'intervalBiFunction',
    'resultPredicate',
    'retryExceptionPredicate',
    'retryExceptions',
  ]),
}

const timeLimiters: Section = {
  name: 'timelimiter',
  title: 'a time limiter',
  defaultOf: 'all',
  kinds: { timeoutDuration: 'duration', baseConfig: 'text' },
  withoutMeaning: new Set(['cancelRunningFuture', 'eventConsumerBufferSize']),
}

/**
 * Reads `resilience4j.circuitbreaker`, `bulkhead`, `thread-pool-bulkhead`, `retry` and `timelimiter` of a Spring Boot YAML
 * file: `configs`, `instances` (or `backends`), `baseConfig`, `configs.default`; names in camelCase or kebab-case, durations
 * as Spring has them (`10s`, `500ms`, `PT10S`, a number of milliseconds). Other parts of the file are left alone. One
 * document; placeholders `${…}` are not resolved.
 *
 * @throws ResilienceError `INVALID_CONFIG` naming line and property: no YAML, a property that resilience4j has not, a value
 * that is none of its, a `baseConfig` that is not there or comes back to itself.
 */
export function fromResilience4jYaml(text: string, options: Resilience4jYamlOptions = {}): Resilience4jYaml {
  const { random = realRandom } = options
  const file = new YamlFile(text)
  const breakers = instancesOf(file, circuitBreakers, (name, merged) => breakerOf(name, merged, random))
  const parts = {
    retries: instancesOf(
      file,
      retries,
      of((merged) => retryOf(merged, random)),
    ),
    timeLimiters: instancesOf(file, timeLimiters, of(timeoutOf)),
    bulkheads: instancesOf(file, bulkheads, of(bulkheadOf)),
    threadPoolBulkheads: instancesOf(file, threadPoolBulkheads, of(threadPoolOf)),
  }
  const policies = (name: string): Policy[] => {
    const limiters = file.below(file.root, ['resilience4j', 'ratelimiter', 'instances'])
    if (limiters.some(({ value }) => value instanceof Map && value.has(name)))
      throw new ResilienceError(
        'INVALID_CONFIG',
        `ratelimiter.instances.${name}: there is no rate limiter here`,
      )
    const found = [
      parts.retries.instances.has(name) && retry(parts.retries.instance(name).options),
      breakers.instances.has(name) && circuitBreaker({ name, circuit: breakers.instance(name).circuit }),
      parts.timeLimiters.instances.has(name) && timeout(parts.timeLimiters.instance(name).options.timeout),
      parts.bulkheads.instances.has(name) && bulkhead(parts.bulkheads.instance(name).options),
      parts.threadPoolBulkheads.instances.has(name) &&
        bulkhead(parts.threadPoolBulkheads.instance(name).options),
    ].filter((each) => each !== false)
    if (found.length === 0)
      throw new ResilienceError('INVALID_CONFIG', `There is no instance ${name} in the file`)
    return found
  }
  return { ...breakers, ...parts, policies }
}

function instancesOf<Instance>(
  file: YamlFile,
  section: Section,
  make: (name: string, merged: Merged) => Instance,
): Resilience4jInstances<Instance> {
  const entries = new SectionEntries(file, section)
  const made = (name: string): Instance => {
    const merged = entries.instance(name)
    return merged.make(() => make(name, merged))
  }
  for (const each of entries.configs()) each.make(() => make('', each))
  const instances = new Map(entries.names.map((name) => [name, made(name)]))
  return { instances, instance: (name) => instances.get(name) ?? made(name) }
}

function of<Options>(
  optionsOf: (merged: Merged) => Options,
): (name: string, merged: Merged) => Resilience4jInstanceOf<Options> {
  return (name, merged) => ({ name, options: optionsOf(merged), ignored: merged.ignored })
}

function breakerOf(name: string, merged: Merged, random: Random): Resilience4jInstance {
  const own = [...merged.values].filter(
    ([property]) =>
      Object.hasOwn(circuitBreakers.kinds, property) &&
      !Object.hasOwn(intervalKinds, property) &&
      property !== 'exponentialMaxWaitDurationInOpenState' &&
      property !== 'baseConfig',
  )
  const options = Object.fromEntries(own.map(([property, { value }]) => [property, value]))
  const circuit = resilience4j(options)
  if (merged.read('enableExponentialBackoff') === true && merged.read('enableRandomizedWait') === true)
    throw new InvalidOptionError(
      'enableRandomizedWait cannot stand beside enableExponentialBackoff: a circuit breaker of resilience4j has one of them',
    )
  const openFor = intervalBeside('waitDurationInOpenState', circuit.openFor(1), merged, {
    maxName: 'exponentialMaxWaitDurationInOpenState',
    inherits: false,
    random,
  })
  return { name, options, circuit: { ...circuit, openFor }, ignored: merged.ignored }
}

function bulkheadOf(merged: Merged): BulkheadPolicyOptions {
  const max = checkInteger('maxConcurrentCalls', merged.read('maxConcurrentCalls') ?? 25, 1, countMax)
  const wait = merged.read('maxWaitDuration') ?? 0
  if (wait === 0) return { max }
  return { max, queue: countMax, queueTimeout: checkDuration('maxWaitDuration', wait) }
}

function threadPoolOf(merged: Merged): BulkheadPolicyOptions {
  const processors = availableParallelism()
  const core = checkInteger(
    'coreThreadPoolSize',
    merged.read('coreThreadPoolSize') ?? Math.max(1, processors - 1),
    1,
    countMax,
  )
  const max = checkInteger('maxThreadPoolSize', merged.read('maxThreadPoolSize') ?? processors, 1, countMax)
  if (max < core)
    throw new InvalidOptionError(`maxThreadPoolSize must be at least coreThreadPoolSize, ${core}, not ${max}`)
  return { max, queue: checkInteger('queueCapacity', merged.read('queueCapacity') ?? 100, 0, countMax) }
}

function retryOf(merged: Merged, random: Random): RetryOptions {
  const attempts = checkInteger('maxAttempts', merged.read('maxAttempts') ?? 3, 1, 1000)
  const wait = merged.read('waitDuration')
  const initial = wait === undefined || wait === 0 ? (wait ?? 500) : checkDuration('waitDuration', wait)
  const interval = intervalBeside('waitDuration', initial, merged, {
    maxName: 'exponentialMaxWaitDuration',
    inherits: true,
    random,
  })
  return {
    attempts,
    budget: false,
    retryIf: () => true,
    backoff: wait === undefined ? initial : interval,
  }
}

/**
 * How a wait goes on. All that is said of it is checked; what holds is what stands beside the wait itself and, for retries,
 * what its entry inherits: a wait that is inherited goes on as it does there.
 */
function intervalBeside(
  property: string,
  wait: number,
  merged: Merged,
  how: { readonly maxName: string; readonly inherits: boolean; readonly random: Random },
): (attempt: number) => number {
  intervalOf(wait, (name) => merged.read(name), how)
  return intervalOf(wait, merged.beside(property, how.inherits), how)
}

function timeoutOf(merged: Merged): { readonly timeout: number } {
  const limit = merged.read('timeoutDuration') ?? 1000
  return { timeout: checkDuration('timeoutDuration', limit) }
}

/** What policies take at most. */
const countMax = 1_000_000
