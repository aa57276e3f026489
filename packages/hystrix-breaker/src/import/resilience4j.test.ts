import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Breaker, isResilienceError, presets } from '../index.ts'
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

const inA = (line: string): string =>
  `resilience4j:\n  circuitbreaker:\n    instances:\n      a:\n        ${line}\n`

test.each([
  [inA('failureRateTreshold: 5'), /^line 5: instances.a.failureRateTreshold is no property/],
  [
    inA('failureRateThreshold: 101'),
    /^line 5: instances.a: failureRateThreshold must be a number above 0 and up to 100, not 101/,
  ],
  [
    inA('waitDurationInOpenState: soon'),
    /^line 5: instances.a.waitDurationInOpenState must be a duration .*, not "soon"/,
  ],
  [inA('slidingWindowSize: 1.5'), /must be a whole number, not 1.5/],
  [inA('slidingWindowType: COUNT'), /COUNT_BASED or TIME_BASED, not "COUNT"/],
  [inA('failureRateThreshold: ${RATE:50}'), /must be a number, not "\$\{RATE:50\}"/],
  [inA('automaticTransitionFromOpenToHalfOpenEnabled: 1'), /must be true or false, not 1/],
  [inA('baseConfig: gone'), /^line 5: instances.a.baseConfig names "gone", which is not among configs/],
  [
    inA('enableExponentialBackoff: true\n        exponentialBackoffMultiplier: 0'),
    /^line 6: instances.a: exponentialBackoffMultiplier must be/,
  ],
  [inA('- a'), /^line 5: instances.a must have names below it, not be an array/],
  [
    'resilience4j.circuitbreaker.configs: {a: {baseConfig: b}, b: {baseConfig: a}}',
    /^line 1: configs.\w.baseConfig comes back to "\w"/,
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
