import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { broken, never, outcome } from '../../test/pipeline/outcome.ts'
import { pipeline } from '../pipeline.ts'
import type { Clock } from '../ports.ts'
import { circuitBreaker } from './circuit-breaker.ts'
import { limit } from './limit.ts'
import { retry } from './retry.ts'
import { throttle } from './throttle.ts'
import { timeout } from './timeout.ts'

test('what is too slow fails, its own signal is aborted, and what comes later is dropped', () =>
  simulate({ runs: 5 }, async ({ clock }) => {
    const api = pipeline({ name: 'api' }, timeout(100, { clock }))
    const signals: AbortSignal[] = []
    const slow = api.run(async ({ signal }) => {
      signals.push(signal)
      await clock.sleep(150)
      throw broken
    })
    const slowOutcome = slow.catch((error: unknown) => error)
    await clock.sleep(50)
    const fast = api.run(({ signal }) => {
      signals.push(signal)
      return clock.sleep(99)
    })
    expect(await slowOutcome).toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining('api: ') })
    expect(clock.monotonic()).toBe(100)
    await fast
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    await clock.sleep(1000)
    expect(clock.pending).toBe(0)
  }))

test('inside a retry it holds for each attempt, outside for all', () =>
  simulate({ runs: 1 }, async ({ clock }) => {
    const inside = pipeline(retry({ attempts: 3, backoff: 10, clock }), timeout(100, { clock }))
    expect(await outcome(inside.run(never))).toBe('TIMEOUT')
    expect(clock.monotonic()).toBe(320)
    const outside = pipeline(timeout(100, { clock }), retry({ attempts: 3, backoff: 60, clock }))
    expect(await outcome(outside.run(() => clock.sleep(30).then(() => Promise.reject(broken))))).toBe(
      'TIMEOUT',
    )
    expect(clock.monotonic()).toBe(420)
  }))

test('19: what is too slow because the process stood still counts for no breaker, limit or throttle, and is told', async () => {
  // A clock whose timers fire when the test says so.
  let now = 0
  let timers: { readonly callback: () => void; readonly at: number }[] = []
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    setTimeout: (callback, delay) => {
      const timer = { callback, at: now + delay }
      timers.push(timer)
      return timer
    },
    clearTimeout: (handle) => {
      timers = timers.filter((timer) => timer !== handle)
    },
  }
  const standStill = (ms: number): void => {
    now += ms
    const due = timers.filter(({ at }) => at <= now)
    timers = timers.filter(({ at }) => at > now)
    for (const { callback } of due) callback()
  }
  const guard = circuitBreaker({ volumeThreshold: 1, clock })
  const policy = throttle({ clock })
  const api = pipeline(policy, guard, limit.aimd({ clock, minLimit: 1 }), timeout(100, { clock }))
  const lags: unknown[] = []
  api.on('lag', ({ lag, pending }) => lags.push([lag, pending]))
  const runs = [outcome(api.run(never))]
  standStill(5000)
  standStill(250)
  expect(await Promise.all(runs)).toEqual(['TIMEOUT'])
  expect(lags).toEqual([[4900, 1]])
  expect([guard.breaker.state, guard.breaker.counts.total, policy.rejection]).toEqual(['closed', 0, 0])
  const upstream = outcome(api.run(never))
  standStill(100)
  expect(await upstream).toBe('TIMEOUT')
  expect(guard.breaker.state).toBe('open')
  await api[Symbol.asyncDispose]()
  expect(timers).toEqual([])
})

test('a call that begins when another one expires does not put off those between', () =>
  simulate({ runs: 3 }, async ({ clock }) => {
    const api = pipeline(retry({ attempts: 2, backoff: 0, clock }), timeout(100, { clock }))
    const ends: number[] = []
    const first = api.run(never).catch(() => ends.push(clock.monotonic()))
    await clock.sleep(50)
    const second = api.run(never).catch(() => ends.push(clock.monotonic()))
    await Promise.all([first, second])
    expect(ends).toEqual([200, 250])
    await api[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  }))

test('no time, no timer: none before the first run, none after disposal', () =>
  simulate({ runs: 1 }, async ({ clock }) => {
    const api = pipeline(timeout('10s', { clock }))
    expect(clock.pending).toBe(0)
    await api.run(() => 1)
    await api[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  }))

test.each([0, -1, 'soon', Number.NaN, undefined])('refuses %s', (after) => {
  expect(() => timeout(JSON.parse(JSON.stringify(after ?? null)))).toThrow('timeout')
})
