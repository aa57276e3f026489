import { availableParallelism } from 'node:os'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Breaker, bulkhead, isResilienceError, pipeline, presets, retry, timeout } from '../index.ts'
import { fromResilience4jYaml } from './resilience4j.ts'
import { springDuration } from './spring-duration.ts'

const file = `
spring:
  application.name: orders
resilience4j.circuitbreaker:
  configs:
    default:
      slidingWindowSize: 100
      permittedNumberOfCallsInHalfOpenState: 10
      waitDurationInOpenState: 10000
      failureRateThreshold: 60
      eventConsumerBufferSize: 10
      registerHealthIndicator: true
    shared:
      base-config: default
      slow-call-duration-threshold: PT2S
      sliding-window-type: time-based
      sliding-window-size: 30
  instances:
    backendA:
      baseConfig: default
      ignoreExceptions:
        - java.util.NoSuchElementException
    backend-B:
      baseConfig: shared
      minimumNumberOfCalls: "10"
      waitDurationInOpenState: 5s
    growing:
      waitDurationInOpenState: 1s
      enableExponentialBackoff: true
      exponentialBackoffMultiplier: 2
      exponentialMaxWaitDurationInOpenState: 3s
resilience4j:
  retry.instances.backendA.maxAttempts: 3
`

test('instances inherit from their configs, and these from theirs', () => {
  const read = fromResilience4jYaml(file)
  expect([...read.instances.keys()]).toEqual(['backendA', 'backend-B', 'growing'])
  const common = {
    slidingWindowSize: 100,
    permittedNumberOfCallsInHalfOpenState: 10,
    waitDurationInOpenState: 10_000,
    failureRateThreshold: 60,
  }
  expect(read.instance('backendA')).toMatchObject({
    name: 'backendA',
    options: common,
    ignored: ['eventConsumerBufferSize', 'registerHealthIndicator', 'ignoreExceptions'],
  })
  expect(read.instance('backend-B').options).toEqual({
    ...common,
    slowCallDurationThreshold: 2000,
    slidingWindowType: 'TIME_BASED',
    slidingWindowSize: 30,
    minimumNumberOfCalls: 10,
    waitDurationInOpenState: 5000,
  })
  expect(read.instance('other').options).toEqual(common)
  expect(presets.resilience4j(read.instance('backend-B').options)).toMatchObject({
    window: { type: 'time', size: 30_000 },
    errorThreshold: 0.6,
  })
})

test('waits grow and spread as resilience4j lets them', () => {
  const { circuit } = fromResilience4jYaml(file).instance('growing')
  expect([1, 2, 3, 4].map((attempt) => circuit.openFor(attempt))).toEqual([1000, 2000, 3000, 3000])
  expect(new Breaker({ circuit }).state).toBe('closed')
  const drawn = [0, 0.5, 1 - 2 ** -53]
  const random = { next: () => drawn.shift() ?? 0 }
  const spread = fromResilience4jYaml(
    'resilience4j.circuitbreaker.instances: {a: {waitDurationInOpenState: 10s, enableRandomizedWait: true}}',
    { random },
  ).instance('a').circuit
  expect([1, 2, 3].map((attempt) => Math.round(spread.openFor(attempt)))).toEqual([5000, 10_000, 15_000])
})

test('anchors, merge keys, backends and an empty file', () => {
  const read = fromResilience4jYaml(`
x: &base {slidingWindowSize: 5}
resilience4j:
  circuitbreaker:
    backends:
      a: {<<: *base, failureRateThreshold: 20.5}
      b:
`)
  expect(read.instance('a').options).toEqual({ slidingWindowSize: 5, failureRateThreshold: 20.5 })
  expect(read.instance('b').options).toEqual({})
  expect(fromResilience4jYaml('').instances.size).toBe(0)
  expect(fromResilience4jYaml('just text').instance('a').options).toEqual({})
})

const whole = `
resilience4j:
  retry:
    configs:
      default: {waitDuration: 200ms}
      patient: {maxAttempts: 5, waitDuration: 1s, enableExponentialBackoff: true, exponentialBackoffMultiplier: 2, exponentialMaxWaitDuration: 3s}
    instances:
      orders: {baseConfig: patient, exponentialMaxWaitDuration: 9s, retryExceptions: [java.io.IOException]}
      at-once: {wait-duration: 0}
  timelimiter.instances.orders.timeoutDuration: 2s
  bulkhead:
    instances:
      orders: {maxConcurrentCalls: 7, maxWaitDuration: 10ms}
      plain: {writableStackTraceEnabled: false}
  thread-pool-bulkhead:
    instances:
      pool: {maxThreadPoolSize: 4, coreThreadPoolSize: 2, queueCapacity: 0, keepAliveDuration: 20ms}
  circuitbreaker.instances.orders: {slidingWindowSize: 9}
  ratelimiter.instances.Limited: {limitForPeriod: 5}
`

test('bulkheads, retries and time limiters, with what they inherit', () => {
  const { retries, timeLimiters, bulkheads, threadPoolBulkheads } = fromResilience4jYaml(whole)
  const { options, ignored } = retries.instance('orders')
  expect(options).toMatchObject({ attempts: 5, budget: false })
  expect(ignored).toEqual(['retryExceptions'])
  const waits = ({ backoff }: typeof options): unknown[] =>
    [1, 2, 3, 4].map((attempt) => (typeof backoff === 'function' ? backoff(attempt) : backoff))
  // What stands beside the wait holds, not what an instance adds that has no wait of its own.
  expect(waits(options)).toEqual([1000, 2000, 3000, 3000])
  expect(waits(retries.instance('at-once').options)).toEqual([0, 0, 0, 0])
  expect(waits(retries.instance('other').options)).toEqual([200, 200, 200, 200])
  expect(options.retryIf?.(new Error('any'))).toBe(true)
  expect(timeLimiters.instance('orders').options).toEqual({ timeout: 2000 })
  expect(bulkheads.instance('orders').options).toEqual({ max: 7, queue: 1_000_000, queueTimeout: 10 })
  expect(bulkheads.instance('plain')).toMatchObject({
    options: { max: 25 },
    ignored: ['writableStackTraceEnabled'],
  })
  expect(threadPoolBulkheads.instance('pool').options).toEqual({ max: 4, queue: 0 })
  expect([...bulkheads.instances.keys()]).toEqual(['orders', 'plain'])
})

test('defaults are those of resilience4j', () => {
  const { retries, timeLimiters, bulkheads, threadPoolBulkheads } = fromResilience4jYaml('')
  expect(retries.instance('a').options).toMatchObject({ attempts: 3, backoff: 500 })
  expect(timeLimiters.instance('a').options).toEqual({ timeout: 1000 })
  expect(bulkheads.instance('a').options).toEqual({ max: 25 })
  expect(threadPoolBulkheads.instance('a').options).toEqual({ max: availableParallelism(), queue: 100 })
  // As IntervalFunction.ofExponentialBackoff(1001) of resilience4j 2.4.0 answers.
  const odd = fromResilience4jYaml(
    'resilience4j.retry.instances.a: {waitDuration: 1001, enableExponentialBackoff: true}',
  ).retries.instance('a').options.backoff
  expect([1, 2, 3, 4].map((attempt) => typeof odd === 'function' && odd(attempt))).toEqual([
    1001, 1501, 2251, 3376,
  ])
  // Without a wait of its own, a retry is not looked at for how that grows.
  const growing = fromResilience4jYaml(
    'resilience4j.retry.instances.a: {enableExponentialBackoff: true}',
  ).retries
  expect(growing.instance('a').options.backoff).toBe(500)
  for (const each of [
    retry(retries.instance('a').options),
    timeout(1000),
    bulkhead(bulkheads.instance('a').options),
  ])
    expect(each.added).toEqual([])
})

// What createRetryConfig and createCircuitBreakerConfig of resilience4j-framework-common 2.4.0 make of the same.
test('a base without a base has the default of its part, but not that of circuit breakers', () => {
  const part = (own: string, named: string): string =>
    `{configs: {default: {${own}}, patient: {${named}}}, instances: {a: {baseConfig: patient}}}`
  const yaml = fromResilience4jYaml(`
resilience4j:
  retry: ${part('waitDuration: 200', 'maxAttempts: 5')}
  circuitbreaker: ${part('slidingWindowSize: 7', 'minimumNumberOfCalls: 3')}
`)
  const { attempts, backoff } = yaml.retries.instance('a').options
  expect([attempts, typeof backoff === 'function' && backoff(1)]).toEqual([5, 200])
  expect(yaml.instance('a').circuit).toMatchObject({ window: { size: 100 }, volumeThreshold: 3 })
})

test('the policies of a name, in the order of the aspects', async () => {
  const yaml = fromResilience4jYaml(whole)
  expect(yaml.policies('orders')).toHaveLength(4)
  expect(yaml.policies('pool')).toHaveLength(1)
  let calls = 0
  const atOnce = pipeline(...yaml.policies('at-once'))
  const answer = await atOnce.run(() =>
    ++calls < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve(calls),
  )
  expect(answer).toBe(3)
  // Its circuit breaker is inside of its retry: all five attempts are counted, and no more come.
  const orders = pipeline(
    ...fromResilience4jYaml(`
resilience4j:
  retry.instances.orders: {maxAttempts: 5, waitDuration: 0}
  circuitbreaker.instances.orders: {slidingWindowSize: 3}
`).policies('orders'),
  )
  let made = 0
  await expect(
    orders.run(() => {
      made++
      return Promise.reject(new Error('down'))
    }),
  ).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' })
  expect(made).toBe(3)
  expect(() => yaml.policies('Limited')).toThrow(
    /ratelimiter.instances.Limited: there is no rate limiter here/,
  )
  expect(() => yaml.policies('nobody')).toThrow(/no instance nobody/)
})

test.each([
  [
    'resilience4j.retry.instances: {a: {maxAttempt: 3}}',
    /^line 1: retry.instances.a.maxAttempt is no property of a retry/,
  ],
  [
    'resilience4j.retry.instances: {a: {maxAttempts: 0}}',
    /^line 1: retry.instances.a: maxAttempts must be a whole number of 1/,
  ],
  [
    'resilience4j.retry.configs.a: {waitDuration: soon}',
    /retry.configs.a.waitDuration must be a duration .*, not "soon"/,
  ],
  [
    'resilience4j.timelimiter.instances.a: {timeoutDuration: 0}',
    /timelimiter.instances.a: timeoutDuration must be/,
  ],
  [
    'resilience4j.bulkhead.instances.a: {maxConcurrentCalls: -1}',
    /bulkhead.instances.a: maxConcurrentCalls must be/,
  ],
  [
    'resilience4j.bulkhead.instances.a: {slidingWindowSize: 1}',
    /slidingWindowSize is no property of a bulkhead/,
  ],
  [
    'resilience4j.thread-pool-bulkhead.instances.a: {maxThreadPoolSize: 1, coreThreadPoolSize: 2}',
    /maxThreadPoolSize must be at least coreThreadPoolSize, 2, not 1/,
  ],
  ['resilience4j.bulkhead.instances.a: {baseConfig: gone}', /names "gone", which is not among configs/],
])('%j is refused', (text, message) => {
  expect(() => fromResilience4jYaml(text)).toThrow(message)
  expect(() => fromResilience4jYaml(text)).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }))
})

const inA = (line: string): string =>
  `resilience4j:\n  circuitbreaker:\n    instances:\n      a:\n        ${line}\n`

test.each([
  [inA('failureRateTreshold: 5'), /^line 5: circuitbreaker.instances.a.failureRateTreshold is no property/],
  [
    inA('failureRateThreshold: 101'),
    /^line 5: circuitbreaker.instances.a: failureRateThreshold must be a number above 0 and up to 100, not 101/,
  ],
  [
    inA('waitDurationInOpenState: soon'),
    /^line 5: circuitbreaker.instances.a.waitDurationInOpenState must be a duration .*, not "soon"/,
  ],
  [inA('slidingWindowSize: 1.5'), /must be a whole number, not 1.5/],
  [inA('slidingWindowType: COUNT'), /COUNT_BASED or TIME_BASED, not "COUNT"/],
  [inA('failureRateThreshold: ${RATE:50}'), /must be a number, not "\$\{RATE:50\}"/],
  [inA('automaticTransitionFromOpenToHalfOpenEnabled: 1'), /must be true or false, not 1/],
  [
    inA('baseConfig: gone'),
    /^line 5: circuitbreaker.instances.a.baseConfig names "gone", which is not among configs/,
  ],
  [
    inA('enableExponentialBackoff: true\n        exponentialBackoffMultiplier: 0'),
    /^line 6: circuitbreaker.instances.a: exponentialBackoffMultiplier must be/,
  ],
  [
    'resilience4j.circuitbreaker: 5',
    /^line 1: resilience4j.circuitbreaker must have names below it, not be 5/,
  ],
  ['resilience4j:\n  retry: [a]', /^line 2: resilience4j.retry must have names below it, not be an array/],
  [inA('- a'), /^line 5: circuitbreaker.instances.a must have names below it, not be an array/],
  [
    'resilience4j.circuitbreaker.configs: {a: {baseConfig: b}, b: {baseConfig: a}}',
    /^line 1: circuitbreaker.configs.\w.baseConfig comes back to "\w"/,
  ],
  ['a: 1\nb: [', /^line 2|^line 3/],
  ['a: 1\na: 2', /^line 2: YAML Map keys must be unique/],
  ['a: 1\n---\nb: 2', /multiple documents/],
  ['['.repeat(100_000), /cannot be read|YAML/],
  [
    Array.from({ length: 12 }, (_, n) => `a${n}: &a${n} [${n === 0 ? 'x' : `*a${n - 1},`.repeat(9)}]`).join(
      '\n',
    ),
    /alias/i,
  ],
])('%# %j is refused', (text, message) => {
  let thrown: unknown
  try {
    fromResilience4jYaml(text)
  } catch (error) {
    thrown = error
  }
  expect(isResilienceError(thrown) && thrown.code).toBe('INVALID_CONFIG')
  expect(thrown instanceof Error && thrown.message).toMatch(message)
})

test('keys with dots', () => {
  const read = fromResilience4jYaml(`
resilience4j.circuitbreaker.instances.a.slidingWindowSize: 5
resilience4j.circuitbreaker.instances.a.failure-rate-threshold: 20
resilience4j:
  circuitbreaker.instances.b: {slidingWindowSize: 6}
`)
  expect(read.instance('a').options).toEqual({ slidingWindowSize: 5, failureRateThreshold: 20 })
  expect(read.instance('b').options).toEqual({ slidingWindowSize: 6 })
})

test('hostile keys', () => {
  const read = fromResilience4jYaml(
    'resilience4j.circuitbreaker.instances: {__proto__: {slidingWindowSize: 7}, constructor: {}, 5: {}}',
  )
  expect([...read.instances.keys()]).toEqual(['__proto__', 'constructor', '5'])
  expect(read.instance('__proto__').options).toEqual({ slidingWindowSize: 7 })
  expect('slidingWindowSize' in {}).toBe(false)
  expect(() => fromResilience4jYaml(inA('__proto__: {}'))).toThrow(/__proto__ is no property/)
  expect(() => fromResilience4jYaml('x'.repeat(1_000_001))).toThrow(/1000001 characters/)
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
      try {
        fromResilience4jYaml(inA(text))
      } catch (error) {
        expect(isResilienceError(error)).toBe(true)
      }
    }),
  )
})

// Spring Boot's reference, "Converting Durations"; ISO 8601 as java.time.Duration prints it.
test.each([
  [30, 30],
  ['30', 30],
  ['30s', 30_000],
  ['500ms', 500],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['1d', 86_400_000],
  ['1500us', 1.5],
  ['PT30S', 30_000],
  ['PT1M30.5S', 90_500],
  ['P1DT2H', 93_600_000],
  ['PT0.25S', 250],
  ['10 parsecs', undefined],
  ['P', undefined],
  ['PT', undefined],
  ['-5s', undefined],
  [-5, undefined],
  [Number.NaN, undefined],
  [null, undefined],
])('%j is %j ms', (value, ms) => {
  expect(springDuration(value)).toBe(ms)
})
