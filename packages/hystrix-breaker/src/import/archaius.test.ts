import fc from 'fast-check'
import { expect, test } from 'vitest'
import { command, isResilienceError, presets } from '../index.ts'
import { fromArchaius } from './archaius.ts'
import { readProperties } from './properties.ts'

const file = String.raw`
# of the wiki's examples
hystrix.command.default.execution.isolation.thread.timeoutInMilliseconds=2000
hystrix.command.default.circuitBreaker.requestVolumeThreshold : 10
hystrix.command.GetUser.circuitBreaker.requestVolumeThreshold 5
hystrix.command.GetUser.execution.isolation.strategy=SEMAPHORE
hystrix.command.GetUser.circuitBreaker.forceOpen=\
    false
hystrix.command.com.example.Orders#find(long).circuitBreaker.errorThresholdPercentage = 40
hystrix.command.Pooled.threadPoolKeyOverride=Orders
hystrix.threadpool.default.coreSize=7
hystrix.threadpool.Orders.maxQueueSize=20
hystrix.threadpool.Orders.maximumSize=30
hystrix.threadpool.Orders.allowMaximumSizeToDivergeFromCoreSize=true
hystrix.collapser.GetUser.maxRequestsInBatch=50
hystrix.collapser.default.timerDelayInMilliseconds=25
! of others
eureka.client.enabled=true
`

test('properties of a key come before those of default', () => {
  const read = fromArchaius(file)
  expect(read.commands).toEqual(['GetUser', 'com.example.Orders#find(long)', 'Pooled'])
  expect(read.threadPools).toEqual(['Orders'])
  expect(read.collapsers).toEqual(['GetUser'])
  expect(read.ignored).toEqual(['eureka.client.enabled'])
  expect(read.command('GetUser')).toEqual({
    name: 'GetUser',
    coreSize: 7,
    'execution.isolation.strategy': 'SEMAPHORE',
    'execution.isolation.thread.timeoutInMilliseconds': 2000,
    'circuitBreaker.requestVolumeThreshold': 5,
    'circuitBreaker.forceOpen': false,
  })
  expect(read.command('com.example.Orders#find(long)')).toMatchObject({
    'circuitBreaker.errorThresholdPercentage': 40,
    'circuitBreaker.requestVolumeThreshold': 10,
  })
  expect(read.command('Pooled')).toMatchObject({ coreSize: 30, maxQueueSize: 20 })
  expect(read.command('unknown', { group: 'Orders' })).toMatchObject({ group: 'Orders', maxQueueSize: 20 })
  expect(read.collapser('GetUser')).toEqual({ max: 50, window: 25 })
})

test('what comes out is what command and the preset take', () => {
  const options = fromArchaius(file).command('GetUser')
  const made = command<number>(options)
  expect(made.breaker.settings).toMatchObject({
    name: 'GetUser',
    timeout: 2000,
    bulkhead: { max: 10, isolation: 'SEMAPHORE' },
    circuit: { volumeThreshold: 5 },
  })
  expect(presets.hystrix(fromArchaius(file).command('Pooled'))).toMatchObject({ volumeThreshold: 10 })
  expect(fromArchaius('').command('any')).toEqual({ name: 'any' })
})

test.each([
  [
    '\n\nhystrix.command.A.circuitBreaker.errorTreshold=5',
    /^line 3: "hystrix.command.A.circuitBreaker.errorTreshold" is no property/,
  ],
  ['hystrix.command.circuitBreaker.enabled=true', /^line 1: .* is no property/],
  ['hystrix.command.A.circuitBreaker.enabled=yes', /^line 1: .* must be true or false, not "yes"/],
  ['hystrix.command.A.execution.isolation.strategy=FIBRE', /THREAD or SEMAPHORE, not "FIBRE"/],
  ['hystrix.threadpool.A.coreSize=ten', /must be a whole number, not "ten"/],
  ['hystrix.threadpool.A.coreSize=99999999999', /must be a whole number/],
  [
    'a=1\nhystrix.command.A.circuitBreaker.errorThresholdPercentage=101',
    /^line 2: hystrix.command.A: .*errorThresholdPercentage/,
  ],
  [
    'hystrix.command.default.metrics.rollingStats.numBuckets=7',
    /^line 1: hystrix.command.default: metrics.rollingStats/,
  ],
  ['a=\\u12', /^line 1: \\u must be followed by four/],
  ['hystrix.command.A.circuitBreaker.enabled=${enabled}', /must be true or false/],
])('%j is refused', (text, message) => {
  let thrown: unknown
  try {
    fromArchaius(text)
  } catch (error) {
    thrown = error
  }
  expect(isResilienceError(thrown) && thrown.code).toBe('INVALID_CONFIG')
  expect(thrown instanceof Error && thrown.message).toMatch(message)
})

test('hostile keys and texts', () => {
  const read = fromArchaius(
    'hystrix.command.__proto__.circuitBreaker.enabled=false\nhystrix.command.constructor.circuitBreaker.enabled=false',
  )
  expect(read.commands).toEqual(['__proto__', 'constructor'])
  expect(read.command('toString')).toEqual({ name: 'toString' })
  expect(read.command('__proto__')).toEqual({ name: '__proto__', 'circuitBreaker.enabled': false })
  expect('circuitBreaker.enabled' in {}).toBe(false)
  expect(() => fromArchaius('x'.repeat(1_000_001))).toThrow(/1000001 characters/)
  expect(() => fromArchaius(undefined as never)).toThrow(/must be a text/)
  for (const long of ['\\', '.', ' ', '\\x', '=', '#\n'])
    for (const end of ['', 'x']) fromArchaius(`x${long.repeat(900_000 / long.length)}${end}`)
  expect(() => fromArchaius(`hystrix.command.${'.'.repeat(900_000)}=1`)).toThrow(/^line 1: .* is no property/)
  expect(fromArchaius(`${'\\'.repeat(100_000)}\n`.repeat(9)).commands).toEqual([])
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      try {
        fromArchaius(text)
      } catch (error) {
        expect(isResilienceError(error)).toBe(true)
      }
    }),
  )
})

// The document of java.util.Properties.load(Reader), JDK 21.
test('properties are read as Java reads them', () => {
  expect(
    readProperties('Truth = Beauty\n Truth:Beauty\nTruth                    :Beauty').map(
      ({ key, value }) => [key, value],
    ),
  ).toEqual([
    ['Truth', 'Beauty'],
    ['Truth', 'Beauty'],
    ['Truth', 'Beauty'],
  ])
  expect(
    readProperties(
      'fruits                           apple, banana, pear, \\\n                                 cantaloupe, watermelon, \\\r\n                                 kiwi, mango',
    ),
  ).toEqual([{ key: 'fruits', value: 'apple, banana, pear, cantaloupe, watermelon, kiwi, mango', line: 1 }])
  expect(readProperties('cheeses')).toEqual([{ key: 'cheeses', value: '', line: 1 }])
  expect(readProperties('\\:\\=')).toEqual([{ key: ':=', value: '', line: 1 }])
  expect(readProperties('a\\ b = \\u00e9\\t\\z\\\\ \n# c\n\n!d\ne = f#g')).toEqual([
    { key: 'a b', value: 'é\tz\\ ', line: 1 },
    { key: 'e', value: 'f#g', line: 5 },
  ])
})

test('any key and value, escaped, comes back', () => {
  const escape = (text: string): string =>
    Array.from(text)
      .map((each) =>
        /[a-z]/i.test(each)
          ? each
          : [...Array(each.length).keys()]
              .map((at) => `\\u${each.charCodeAt(at).toString(16).padStart(4, '0')}`)
              .join(''),
      )
      .join('')
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'binary' }), (key, value) => {
      expect(readProperties(`${escape(key)}=${escape(value)}`)).toEqual([{ key, value, line: 1 }])
    }),
  )
})
