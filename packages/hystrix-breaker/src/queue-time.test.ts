import { type SimulatedClock, simulate } from '@loadbearing/harness'
import { describe, expect, test } from 'vitest'
import { Breaker } from './breaker.ts'
import type { BreakerOptions } from './breaker-options.ts'
import { type CommandOptions, command } from './command.ts'
import { isResilienceError } from './errors.ts'
import { presets } from './preset/presets.ts'

function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => value,
    (error: unknown) => (isResilienceError(error) ? error.code : error),
  )
}

const hang = (): Promise<never> => new Promise<never>(() => {})

/** A pool of one place and a queue, 500 ms for each call. */
async function pool(
  body: (breaker: Breaker, clock: SimulatedClock) => Promise<void>,
  own: BreakerOptions = {},
): Promise<void> {
  await simulate({ runs: 3 }, async ({ clock }) => {
    const breaker = new Breaker({
      timeout: 500,
      circuit: presets.hystrix({ 'circuitBreaker.requestVolumeThreshold': 3 }),
      bulkhead: { max: 1, queue: 10, timesQueue: true },
      ...own,
      clock,
    })
    await body(breaker, clock)
    await breaker[Symbol.asyncDispose]()
    expect(breaker.calls).toEqual({ running: 0, queued: 0 })
    expect(clock.pending).toBe(0)
  })
}

describe('where the wait for a place is part of the time limit', () => {
  test('what has waited may run for what is left', () =>
    pool(async (breaker, clock) => {
      const first = breaker.execute(() => clock.sleep(400))
      await clock.sleep(20)
      const second = breaker.start(() => clock.sleep(300))
      const answer = codeOf(second.answer)
      await first
      expect(await answer).toBe('TIMEOUT')
      expect(clock.monotonic()).toBe(520)
      expect(second.events).toEqual(['TIMEOUT', 'FALLBACK_MISSING'])
      expect(breaker.counts).toMatchObject({ total: 2, failures: 1 })
      await clock.sleep(300)
    }))

  test('what timed out in the queue never runs, has its fallback and counts in the preset hystrix', () =>
    pool(async (breaker, clock) => {
      let ran = 0
      // At one moment: the place of the first is free when the time of the others is over.
      const calls = [0, 1, 2].map((n) =>
        breaker.start<string | number>(() => (ran++, hang()), n === 2 ? { fallback: () => 'fallback' } : {}),
      )
      const answers = Promise.all(calls.map(({ answer }) => codeOf(answer)))
      await clock.sleep(500)
      expect(await answers).toEqual(['TIMEOUT', 'TIMEOUT', 'fallback'])
      expect(calls.map(({ events }) => events)).toEqual([
        ['TIMEOUT', 'FALLBACK_MISSING'],
        ['TIMEOUT', 'FALLBACK_MISSING'],
        ['TIMEOUT', 'FALLBACK_SUCCESS'],
      ])
      expect(ran).toBe(1)
      expect(breaker.metrics.total()).toMatchObject({ TIMEOUT: 3 })
      expect(breaker.state).toBe('open')
    }))

  test('elsewhere it does not count: the upstream was not asked', () =>
    pool(
      async (breaker, clock) => {
        const calls = [0, 1, 2].map(() => codeOf(breaker.execute(hang)))
        await clock.sleep(500)
        expect(await Promise.all(calls)).toEqual(['TIMEOUT', 'TIMEOUT', 'TIMEOUT'])
        expect(breaker.counts).toMatchObject({ total: 1, failures: 1 })
      },
      { circuit: presets.resilience4j() },
    ))

  test('nor where the circuit has changed since', () =>
    pool(async (breaker, clock) => {
      const calls = [0, 1].map(() => codeOf(breaker.execute(hang)))
      await clock.sleep(100)
      breaker.reset()
      await clock.sleep(400)
      expect(await Promise.all(calls)).toEqual(['TIMEOUT', 'TIMEOUT'])
      expect(breaker.counts.total).toBe(0)
    }))

  test('the queue is free for others, and an open circuit refuses who comes out of it', () =>
    pool(async (breaker, clock) => {
      const first = codeOf(breaker.execute(() => clock.sleep(300)))
      const waiting = codeOf(breaker.execute(() => 'ran'))
      breaker.force('forced-open')
      expect(await first).toBe(undefined)
      expect(await waiting).toBe('CIRCUIT_OPEN')
      await clock.sleep(1000)
      expect(breaker.metrics.total()).toMatchObject({ TIMEOUT: 0, SHORT_CIRCUITED: 1 })
    }))

  test('given up and disposed of while they wait, calls leave nothing behind', () =>
    pool(async (breaker, clock) => {
      const running = codeOf(breaker.execute(hang))
      const controller = new AbortController()
      const givenUp = codeOf(breaker.execute(() => 1, { signal: controller.signal }))
      const disposed = codeOf(breaker.execute(() => 1))
      controller.abort('enough')
      expect(await givenUp).toBe('enough')
      await clock.sleep(100)
      await breaker[Symbol.asyncDispose]()
      expect(await Promise.all([running, disposed])).toEqual(['DISPOSED', 'DISPOSED'])
    }))
})

test('without timesQueue the time limit begins with the work', () =>
  pool(
    async (breaker, clock) => {
      const first = breaker.execute(() => clock.sleep(400))
      const second = breaker.execute(() => clock.sleep(400).then(() => 'ran'))
      await first
      expect(await second).toBe('ran')
      expect(clock.monotonic()).toBe(800)
    },
    { bulkhead: { max: 1, queue: 1 } },
  ))

test('a command with THREAD isolation is timed from its call on', async () => {
  await simulate({ runs: 3 }, async ({ clock }) => {
    const options: CommandOptions = { coreSize: 1, maxQueueSize: 5, clock }
    await using get = command<string>({ ...options, 'execution.isolation.thread.timeoutInMilliseconds': 500 })
    const first = get.execute(() => clock.sleep(450).then(() => 'in time'))
    const second = get.start(() => clock.sleep(100).then(() => 'too late'))
    expect(await first).toBe('in time')
    await expect(second.answer).rejects.toMatchObject({
      failureType: 'TIMEOUT',
      message: 'command timed-out and no fallback available.',
    })
    expect(clock.monotonic()).toBe(500)
  })
})

test('a refused call waited for no longer than its caller did', async () => {
  await simulate({ runs: 3 }, async ({ clock }) => {
    await clock.sleep(5000)
    const breaker = new Breaker({ bulkhead: { max: 1 }, clock })
    const waited: [string | undefined, number][] = []
    breaker.on('execution', ({ events: [event], duration }) => waited.push([event, duration]))
    const running = codeOf(breaker.execute(() => clock.sleep(10)))
    await codeOf(breaker.execute(() => 1))
    await codeOf(breaker.execute(() => 1, { fallback: () => clock.sleep(3).then(() => 1) }))
    await running
    await codeOf(breaker.execute(() => 1, { signal: AbortSignal.abort() }))
    breaker.force('forced-open')
    await codeOf(breaker.execute(() => 1))
    await breaker[Symbol.asyncDispose]()
    await codeOf(breaker.execute(() => 1))
    expect(waited).toEqual([
      ['SEMAPHORE_REJECTED', 0],
      ['SEMAPHORE_REJECTED', 3],
      ['SUCCESS', 10],
      ['CANCELLED', 0],
      ['SHORT_CIRCUITED', 0],
      [undefined, 0],
    ])
  })
})
