import { join } from 'node:path'
import { type ComparisonReport, compareWithOracle, type Oracle } from '@loadbearing/harness/oracle'
import {
  bulkhead,
  isResilienceError,
  pipeline,
  type Random,
  retry,
  timeout,
} from '@loadbearing/hystrix-breaker'
import { fromResilience4jYaml, type Resilience4jYaml } from '@loadbearing/hystrix-breaker/resilience4j'
import { VirtualClock } from '@loadbearing/hystrix-breaker/testing'
import type { Missing } from '@loadbearing/tooling/foreign-programs'
import * as fc from 'fast-check'
import { startJava } from './java-peer.ts'

/** resilience4j with Spring Boot's reading of YAML in a JVM. Says why where it cannot be had. */
export function startResilience4j(): Oracle | Missing {
  return startJava({
    folder: join(import.meta.dirname, 'resilience4j'),
    files: ['YamlPeer.java'],
    main: 'YamlPeer',
    cache: 'resilience4j-yaml-peer-1',
    jar: 'resilience4j-spring-boot3-2.4.0.jar',
    // Its Math.random() is given a seed.
    options: ['--add-opens', 'java.base/java.lang=ALL-UNNAMED'],
  })
}

/** What is asked of instance `a` of a file. */
interface YamlCase {
  readonly part: keyof typeof parts
  readonly yaml: string
  readonly seed: number
  readonly failures: number
  /** Milliseconds that work takes; only where real time is to pass. */
  readonly takes?: number
  readonly callers?: number
  readonly hold?: number
}

type Properties = Readonly<Record<string, fc.Arbitrary<unknown>>>

const ms = (...values: number[]): fc.Arbitrary<string | number> =>
  fc.oneof(
    fc.constantFrom(...values),
    fc.constantFrom(...values).map((value) => `${value}ms`),
    fc.constantFrom(...values).map((value) => `PT${value / 1000}S`),
  )

const intervals: Properties = {
  enableExponentialBackoff: fc.boolean(),
  exponentialBackoffMultiplier: fc.constantFrom(1, 1.5, 2, 2.7, 0.5),
  enableRandomizedWait: fc.boolean(),
  // Without 0, which a config does not hand down there.
  randomizedWaitFactor: fc.constantFrom(0.1, 0.5, 1, 1.5),
}

const parts = {
  circuitbreaker: {
    failureRateThreshold: fc.constantFrom(0, 1, 33.3, 50, 66.66667, 100, 101),
    slowCallRateThreshold: fc.constantFrom(1, 12.5, 100),
    slowCallDurationThreshold: ms(1, 250, 2000),
    permittedNumberOfCallsInHalfOpenState: fc.constantFrom(0, 1, 3),
    maxWaitDurationInHalfOpenState: ms(0, 1, 5000),
    transitionToStateAfterWaitDuration: fc.constantFrom('OPEN', 'CLOSED'),
    slidingWindowType: fc.constantFrom('COUNT_BASED', 'time_based'),
    slidingWindowSize: fc.constantFrom(0, 1, 7, 100),
    minimumNumberOfCalls: fc.constantFrom(0, 1, 7, 200),
    waitDurationInOpenState: ms(1, 999, 60_000),
    automaticTransitionFromOpenToHalfOpenEnabled: fc.boolean(),
    exponentialMaxWaitDurationInOpenState: ms(1, 3000, 100_000),
    ...intervals,
  },
  retry: {
    maxAttempts: fc.constantFrom(0, 1, 2, 6),
    waitDuration: ms(1, 101, 5000),
    exponentialMaxWaitDuration: ms(1, 150, 9000),
    ...intervals,
  },
  bulkhead: {
    maxConcurrentCalls: fc.constantFrom(0, 1, 2, 5),
    maxWaitDuration: ms(0, 20, 300),
    fairCallHandlingEnabled: fc.boolean(),
  },
  'thread-pool-bulkhead': {
    maxThreadPoolSize: fc.constantFrom(1, 4, 9),
    coreThreadPoolSize: fc.constantFrom(1, 2, 4),
    queueCapacity: fc.constantFrom(0, 3, 100),
    keepAliveDuration: ms(20),
  },
  timelimiter: {
    timeoutDuration: ms(100, 250, 400),
    cancelRunningFuture: fc.boolean(),
  },
} satisfies Readonly<Record<string, Properties>>

/** Some of the properties, in camelCase or kebab-case; never none, which Spring takes for no entry at all. */
function entry(properties: Properties): fc.Arbitrary<object> {
  return fc
    .tuple(fc.record(properties, { requiredKeys: [] }), fc.boolean())
    .map(([own, kebab]) =>
      Object.fromEntries(
        Object.entries({ ...own, eventConsumerBufferSize: 9 }).map(([name, value]) => [
          kebab ? name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`) : name,
          value,
        ]),
      ),
    )
}

// All configs are in use, and none has a base: of others resilience4j overlooks most faults, which are told here.
function fileOf(part: keyof typeof parts): fc.Arbitrary<string> {
  const own = entry(parts[part])
  return fc
    .tuple(own, own, fc.constantFrom('none', 'default', 'base', 'nowhere'))
    .map(([a, first, inherits]) => {
      const files = {
        none: { instances: { a } },
        default: { configs: { default: first }, instances: { a } },
        base: {
          configs: { shared: first },
          instances: { a: { ...a, baseConfig: 'shared' } },
        },
        nowhere: { configs: { other: first }, instances: { a: { ...a, baseConfig: 'nowhere' } } },
      }
      return JSON.stringify({ resilience4j: { [part]: files[inherits] } })
    })
}

function caseOf(...of: (keyof typeof parts)[]): fc.Arbitrary<YamlCase> {
  return fc.constantFrom(...of).chain((part) =>
    fc.record({
      part: fc.constant(part),
      yaml: fileOf(part),
      seed: fc.nat(),
      failures: fc.nat(6),
    }),
  )
}

/** Those in which time passes: work that is far enough from its limit that a busy machine changes nothing. */
const timedCase: fc.Arbitrary<YamlCase> = fc.oneof(
  fc.tuple(caseOf('timelimiter'), fc.constantFrom(0, 1200)).map(([each, takes]) => ({ ...each, takes })),
  fc
    .tuple(caseOf('bulkhead'), fc.integer({ min: 1, max: 15 }))
    .map(([each, callers]) => ({ ...each, callers, hold: 200 })),
)

export function compareYaml(
  theirs: Oracle,
  options: { readonly seed: number; readonly runs: number },
): Promise<ComparisonReport<YamlCase, unknown, unknown>> {
  const of = caseOf(
    'circuitbreaker',
    'circuitbreaker',
    'retry',
    'retry',
    'bulkhead',
    'thread-pool-bulkhead',
    'timelimiter',
  )
  return compare(of, theirs, options)
}

export function compareYamlInTime(
  theirs: Oracle,
  { seed, runs }: { readonly seed: number; readonly runs: number },
): Promise<ComparisonReport<YamlCase, unknown, unknown>> {
  return compare(timedCase, theirs, { seed, runs: Math.ceil(runs / 20) })
}

function compare(
  arbitrary: fc.Arbitrary<YamlCase>,
  theirs: Oracle,
  options: { readonly seed: number; readonly runs: number },
): Promise<ComparisonReport<YamlCase, unknown, unknown>> {
  return compareWithOracle({
    arbitrary,
    ours: answered,
    theirs: async (each) => comparable(each.part, await theirs.ask(each)),
    known: [
      {
        reason:
          'resilience4j overlooks the longest wait where no multiplier stands beside it, and of random waits that grow the longest or the factor where not all of them do; here they hold',
        covers: overlooksInterval,
      },
    ],
    ...options,
  })
}

function overlooksInterval({ yaml }: YamlCase): boolean {
  const [part = {}]: { configs?: Record<string, object>; instances?: Record<string, object> }[] =
    Object.values(JSON.parse(yaml).resilience4j)
  const entries = [...Object.values(part.configs ?? {}), ...Object.values(part.instances ?? {})]
  return [...entries, Object.assign({}, ...entries.map(camelCased))].map(camelCased).some((each) => {
    if (each['enableExponentialBackoff'] !== true) return false
    const hasMultiplier = 'exponentialBackoffMultiplier' in each
    const hasMost = Object.keys(each).some((name) => name.startsWith('exponentialMaxWaitDuration'))
    if (each['enableRandomizedWait'] !== true) return hasMost && !hasMultiplier
    return !(hasMultiplier && hasMost && 'randomizedWaitFactor' in each)
  })
}

function camelCased(properties: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      name.replaceAll(/-./g, (letter) => letter.slice(1).toUpperCase()),
      value,
    ]),
  )
}

async function answered(each: YamlCase): Promise<unknown> {
  let read: Resilience4jYaml
  try {
    read = fromResilience4jYaml(each.yaml, { random: new JavaRandom(each.seed) })
  } catch (error) {
    if (isResilienceError(error) && error.code === 'INVALID_CONFIG') return { invalid: true }
    throw error
  }
  if (each.part === 'circuitbreaker') return circuitBreaker(read)
  if (each.part === 'retry') return retried(read, each)
  if (each.part === 'bulkhead') return bulkheadOf(read, each)
  return each.part === 'timelimiter' ? timeLimiter(read, each) : threadPool(read)
}

function circuitBreaker(read: Resilience4jYaml): object {
  const { circuit } = read.instance('a')
  const { window, slow } = circuit
  const size = window?.size ?? 0
  return {
    failureRateThreshold: Math.fround(circuit.errorThreshold * 100),
    slowCallRateThreshold: Math.fround((slow?.rate ?? 0) * 100),
    slowCallDurationThreshold: slow?.over,
    permittedNumberOfCallsInHalfOpenState: circuit.probes,
    maxWaitDurationInHalfOpenState: circuit.halfOpenMax === Infinity ? 0 : circuit.halfOpenMax,
    transitionToStateAfterWaitDuration: circuit.afterHalfOpenMax.toUpperCase(),
    slidingWindowType: window?.type === 'time' ? 'TIME_BASED' : 'COUNT_BASED',
    slidingWindowSize: window?.type === 'time' ? size / 1000 : size,
    minimumNumberOfCalls:
      window?.type === 'time' ? circuit.volumeThreshold : Math.min(circuit.volumeThreshold, size),
    automaticTransitionFromOpenToHalfOpenEnabled: circuit.autoHalfOpen,
    waits: [1, 2, 3, 4, 5, 6].map((attempt) => circuit.openFor(attempt)),
  }
}

async function retried(read: Resilience4jYaml, { failures }: YamlCase): Promise<object> {
  const clock = new VirtualClock()
  const api = pipeline(retry({ ...read.retries.instance('a').options, clock }))
  const waits: number[] = []
  api.on('retry', ({ delay }) => waits.push(delay))
  let calls = 0
  const answer = api.run(async () => {
    if (++calls <= failures) throw new Error('failed')
  })
  const answeredAtAll = answer.then(
    () => true,
    () => false,
  )
  return { waits, answered: await inTime(clock, answeredAtAll), calls }
}

async function bulkheadOf(read: Resilience4jYaml, { callers, hold = 0 }: YamlCase): Promise<object> {
  const { options } = read.bulkheads.instance('a')
  const figures = { maxConcurrentCalls: options.max, maxWaitDuration: options.queueTimeout ?? 0 }
  if (callers === undefined) return figures
  const clock = new VirtualClock()
  const api = pipeline(bulkhead({ ...options, clock }))
  const calls = Promise.allSettled(
    Array.from({ length: callers }, () =>
      api.run(() => new Promise<void>((resolve) => clock.setTimeout(resolve, hold))),
    ),
  )
  const ended = await inTime(clock, calls)
  return { ...figures, admitted: ended.filter(({ status }) => status === 'fulfilled').length }
}

async function threadPool(read: Resilience4jYaml): Promise<object> {
  const { options } = read.threadPoolBulkheads.instance('a')
  const { max, queue = 0 } = options
  const api = pipeline(bulkhead(options))
  const { promise, resolve } = Promise.withResolvers<void>()
  const calls = Promise.allSettled(Array.from({ length: max + queue + 3 }, () => api.run(() => promise)))
  resolve()
  const admitted = (await calls).filter(({ status }) => status === 'fulfilled').length
  return { maxThreadPoolSize: max, queueCapacity: queue, admitted }
}

async function timeLimiter(read: Resilience4jYaml, { takes }: YamlCase): Promise<object> {
  const { options } = read.timeLimiters.instance('a')
  if (takes === undefined) return { timeoutDuration: options.timeout }
  const clock = new VirtualClock()
  const api = pipeline(timeout(options.timeout, { clock }))
  const call = api.run(() => new Promise<void>((resolve) => clock.setTimeout(resolve, takes)))
  const timedOut = call.then(
    () => false,
    (error: unknown) => isResilienceError(error) && error.code === 'TIMEOUT',
  )
  return { timeoutDuration: options.timeout, timedOut: await inTime(clock, timedOut) }
}

/** The answer, for which as much time passes as it takes. */
async function inTime<T>(clock: VirtualClock, answer: Promise<T>): Promise<T> {
  const progress = { isOver: false }
  const over = (): void => {
    progress.isOver = true
  }
  answer.then(over, over)
  while (!progress.isOver) {
    await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(clock.now() + 60_000)
  }
  return answer
}

/** Rates are single-precision there; of calls in a window no more are waited for than it holds. */
function comparable(part: YamlCase['part'], answer: unknown): unknown {
  const answerOf = Object(answer)
  if (part !== 'circuitbreaker' || 'invalid' in answerOf) return answer
  const { slidingWindowType, slidingWindowSize, minimumNumberOfCalls } = answerOf
  return {
    ...answerOf,
    failureRateThreshold: Math.fround(answerOf.failureRateThreshold),
    slowCallRateThreshold: Math.fround(answerOf.slowCallRateThreshold),
    minimumNumberOfCalls:
      slidingWindowType === 'TIME_BASED'
        ? minimumNumberOfCalls
        : Math.min(minimumNumberOfCalls, slidingWindowSize),
  }
}

/** `java.util.Random` and its nextDouble(), by its documentation. */
class JavaRandom implements Random {
  static readonly #multiplier = 0x5deece66dn
  static readonly #mask = (1n << 48n) - 1n
  #state: bigint

  constructor(seed: number) {
    this.#state = (BigInt(seed) ^ JavaRandom.#multiplier) & JavaRandom.#mask
  }

  next(): number {
    return (Number(this.#bits(26n)) * 2 ** 27 + Number(this.#bits(27n))) * 2 ** -53
  }

  #bits(count: bigint): bigint {
    this.#state = (this.#state * JavaRandom.#multiplier + 0xbn) & JavaRandom.#mask
    return this.#state >> (48n - count)
  }
}
