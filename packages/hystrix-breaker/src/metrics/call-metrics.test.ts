import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { Breaker } from '../breaker.ts'
import type { BreakerOptions } from '../breaker-options.ts'
import { isResilienceError } from '../errors.ts'
import { callEvents, placeOf } from './call-event.ts'

const broken = new Error('broken')
const quiet = (): void => {}

function inVirtualTime(
  options: BreakerOptions,
  body: (own: Breaker, pass: (ms: number) => Promise<void>) => Promise<void>,
): Promise<unknown> {
  return simulate({ runs: 3 }, async ({ clock }) => {
    const own = new Breaker({ ...options, clock })
    await body(own, (ms) => clock.sleep(ms))
    await own[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  })
}

test('each event has the place of its name', () => {
  expect(callEvents.map((event) => placeOf[event])).toEqual(callEvents.map((_, place) => place))
})

test('events roll out of the window and stay in the total', () =>
  inVirtualTime({}, async (own, pass) => {
    await own.execute(() => 1)
    await own.execute(() => Promise.reject(broken)).catch(quiet)
    await pass(9000)
    await own.execute(() => 1, { fallback: () => 2 })
    expect(own.metrics.rolling()).toMatchObject({
      SUCCESS: 2,
      FAILURE: 1,
      FALLBACK_MISSING: 1,
      EXCEPTION_THROWN: 1,
    })
    await pass(1000)
    expect(own.metrics.rolling()).toMatchObject({ SUCCESS: 1, FAILURE: 0, EXCEPTION_THROWN: 0 })
    await pass(3_600_000)
    expect(own.metrics.rolling()).toMatchObject({ SUCCESS: 0, FAILURE: 0 })
    expect(own.metrics.total()).toMatchObject({ SUCCESS: 2, FAILURE: 1, EXCEPTION_THROWN: 1 })
  }))

test('the time of the work, and what its caller waited: in the queue before it, in the fallback after it', () =>
  inVirtualTime({ bulkhead: { max: 1, queue: 1 } }, async (own, pass) => {
    await own.execute(() => pass(100))
    expect(own.metrics.latency().mean).toBe(100)
    expect(own.metrics.latencyTotal().mean).toBe(100)
    const first = own.execute(() => pass(200))
    const second = own.execute(() => pass(300))
    expect([own.metrics.running, own.metrics.queued]).toEqual([1, 1])
    await Promise.all([first, second])
    expect(own.metrics.latency()).toMatchObject({ count: 3, mean: 200 })
    expect(own.metrics.latencyTotal()).toMatchObject({ count: 3, mean: (100 + 200 + 500) / 3 })
    await own.execute(() => Promise.reject(broken), { fallback: () => pass(400) })
    expect(own.metrics.latency()).toMatchObject({ count: 4, mean: 150 })
    expect(own.metrics.latencyTotal()).toMatchObject({ count: 4, mean: 300 })
    expect(own.metrics.rollingMaxRunning()).toBe(1)
  }))

test('the most calls at once', () =>
  inVirtualTime({}, async (own, pass) => {
    await Promise.all([1, 2, 3].map(() => own.execute(() => pass(10))))
    const one = own.execute(() => pass(10))
    expect(own.metrics.running).toBe(1)
    expect(own.metrics.rollingMaxRunning()).toBe(3)
    await one
    await pass(20_000)
    expect(own.metrics.rollingMaxRunning()).toBe(0)
  }))

test('refused calls have no latency', () =>
  inVirtualTime({}, async (own) => {
    own.force('forced-open')
    await own.execute(() => 1).catch(quiet)
    expect(own.metrics.latency().count).toBe(0)
    expect(own.metrics.total()).toMatchObject({ SHORT_CIRCUITED: 1, FALLBACK_MISSING: 1 })
  }))

test('10,000 concurrent calls at the roll of a slice are counted exactly', () =>
  simulate({ runs: 2 }, async ({ clock }) => {
    const own = new Breaker({ clock, timeout: false })
    await clock.sleep(995)
    const calls = Array.from({ length: 10_000 }, (_, at) => {
      const work = async (): Promise<void> => {
        await clock.sleep(at % 10)
        if (at % 4 === 0) throw broken
      }
      return own.execute(work).catch((error: unknown) => isResilienceError(error))
    })
    own.force('forced-closed')
    await Promise.all(calls)
    const { SUCCESS, FAILURE } = own.metrics.rolling()
    expect([SUCCESS, FAILURE]).toEqual([7500, 2500])
    expect(own.metrics.latency().count).toBe(10_000)
  }))
