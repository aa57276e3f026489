import { describe, expect, test } from 'vitest'
import { command } from './command.ts'
import { HystrixBadRequestException, HystrixRuntimeException } from './command-errors.ts'
import { isResilienceError } from './errors.ts'

const broken = new Error('broken')
const fail = (): Promise<never> => Promise.reject(broken)

async function errorOf(call: Promise<unknown>): Promise<HystrixRuntimeException> {
  try {
    await call
  } catch (error) {
    if (error instanceof HystrixRuntimeException) return error
    throw error
  }
  throw new Error('it had an answer')
}

describe('HystrixRuntimeException', () => {
  test('has the error of the call as its cause, and that of the fallback beside', async () => {
    const get = command<number>({ name: 'Get' })
    const other = new TypeError('other')
    const error = await errorOf(get.execute(fail, { fallback: () => Promise.reject(other) }))
    expect(error).toMatchObject({
      name: 'HystrixRuntimeException',
      code: 'COMMAND_FAILED',
      failureType: 'COMMAND_EXCEPTION',
      message: 'Get failed and fallback failed.',
      cause: broken,
      fallbackException: other,
    })
    expect(isResilienceError(error)).toBe(true)
    expect((await errorOf(get.execute(fail))).cause).toBe(broken)
  })

  test('does not take the place of a bad request', async () => {
    const get = command<number>()
    const bad = new HystrixBadRequestException('no such user')
    await expect(get.execute(() => Promise.reject(bad), { fallback: () => 1 })).rejects.toBe(bad)
    expect(get.breaker.counts.total).toBe(0)
  })

  test('nor of the reason for which its caller gave it up', async () => {
    const get = command<number>()
    const call = get.execute(() => new Promise<never>(() => {}), { signal: AbortSignal.abort(broken) })
    await expect(call).rejects.toBe(broken)
  })
})

test('27: wrong properties are named', () => {
  const wrong: readonly [string, () => unknown][] = [
    ['execution.isolation.strategy', () => command(JSON.parse('{"execution.isolation.strategy":"FIBER"}'))],
    ['fallback.enabled', () => command(JSON.parse('{"fallback.enabled":1}'))],
    ['coreSize', () => command({ coreSize: -1 })],
    ['metrics.rollingStats.numBuckets', () => command({ 'metrics.rollingStats.numBuckets': 0 })],
    [
      'execution.isolation.semaphore.maxConcurrentRequests',
      () => command({ 'execution.isolation.semaphore.maxConcurrentRequests': 1.5 }),
    ],
    [
      'metrics.healthSnapshot.intervalInMilliseconds',
      () => command({ 'metrics.healthSnapshot.intervalInMilliseconds': -1 }),
    ],
    ['requestLog.enabled', () => command(JSON.parse('{"requestLog.enabled":"abc"}'))],
    ['command', () => command(JSON.parse('null'))],
    ['command', () => command(JSON.parse('[]'))],
    ['metrics.rollingStats.timeInMilliseconds', () => command({ 'metrics.rollingStats.numBuckets': 7 })],
    [
      'metrics.rollingPercentile.timeInMilliseconds',
      () => command({ 'metrics.rollingPercentile.numBuckets': 7 }),
    ],
    ['circuitBreaker.sleepWindow', () => command(JSON.parse('{"circuitBreaker.sleepWindow":7}'))],
    ['maxQueueSize', () => command({ coreSize: 1, maxQueueSize: 1.5 })],
  ]
  for (const [name, make] of wrong) {
    expect(make).toThrow(RangeError)
    expect(make).toThrow(name)
  }
})

test.each([
  ['10 by default', {}, 10],
  ['coreSize', { coreSize: 3, maximumSize: 5 }, 3],
  [
    'maximumSize, where it may differ',
    { coreSize: 3, maximumSize: 5, allowMaximumSizeToDivergeFromCoreSize: true },
    5,
  ],
])('a pool has %s places, and no queue', async (_, options, places) => {
  await using get = command<number>({ name: 'Get', ...options })
  const hold = Promise.withResolvers<number>()
  const calls = Array.from({ length: places + 1 }, () => get.start(() => hold.promise))
  expect(get.breaker.calls).toEqual({ running: places, queued: 0 })
  await expect(calls.at(-1)?.answer).rejects.toMatchObject({
    failureType: 'REJECTED_THREAD_EXECUTION',
    message: 'Get could not be queued for execution and no fallback available.',
  })
  expect(calls.at(-1)?.events).toEqual(['THREAD_POOL_REJECTED', 'FALLBACK_MISSING'])
  hold.resolve(1)
  expect(await Promise.all(calls.slice(0, places).map(({ answer }) => answer))).toHaveLength(places)
  expect(get.breaker.counts).toMatchObject({ total: places + 1, failures: 1 })
})

test('a pool has a queue up to its rejection threshold', async () => {
  const get = command<number>({ coreSize: 1, maxQueueSize: 10, queueSizeRejectionThreshold: 2 })
  const hold = Promise.withResolvers<number>()
  const calls = [1, 2, 3, 4].map(() => get.start(() => hold.promise))
  const settled = Promise.allSettled(calls.map(({ answer }) => answer))
  hold.resolve(1)
  expect((await settled).map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
  ])
  expect(calls[3]?.events).toEqual(['THREAD_POOL_REJECTED', 'FALLBACK_MISSING'])
})

test('a fallback that is disabled is counted as that, and not as missing', async () => {
  await using off = command<string>({ 'fallback.enabled': false })
  await using none = command<string>()
  const down = (): Promise<never> => Promise.reject(new Error('down'))
  await expect(off.execute(down, { fallback: () => 'x' })).rejects.toThrow('fallback disabled')
  await expect(none.execute(down)).rejects.toThrow('no fallback available')
  expect(off.breaker.metrics.total()).toMatchObject({ FALLBACK_DISABLED: 1, FALLBACK_MISSING: 0 })
  expect(none.breaker.metrics.total()).toMatchObject({ FALLBACK_DISABLED: 0, FALLBACK_MISSING: 1 })
})
