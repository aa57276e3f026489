import { type SimulatedClock, simulate } from '@loadbearing/harness'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { broken, outcome } from '../../test/pipeline/outcome.ts'
import { pipeline } from '../pipeline.ts'
import { bulkhead } from './bulkhead.ts'

async function inVirtualTime(body: (clock: SimulatedClock) => Promise<void>): Promise<void> {
  await simulate({ runs: 3 }, async ({ clock }) => {
    await body(clock)
    expect(clock.pending).toBe(0)
  })
}

test('so many run, so many wait, and the rest is refused; by priority, then in their order', () =>
  inVirtualTime(async (clock) => {
    const places = bulkhead({ max: 1, queue: 3 })
    const api = pipeline(places)
    const order: string[] = []
    const call = (name: string, priority = 0): Promise<unknown> =>
      outcome(
        api.run(
          () => {
            order.push(name)
            return clock.sleep(10)
          },
          { priority },
        ),
      )
    const calls = [call('a'), call('b'), call('c', -1), call('d', 5)]
    expect([places.running, places.queued]).toEqual([1, 3])
    // Full: e is not above the lowest; f is, and c has to go.
    calls.push(call('e', -1), call('f', 5))
    expect(await Promise.all(calls)).toEqual([
      undefined,
      undefined,
      'BULKHEAD_FULL',
      undefined,
      'BULKHEAD_FULL',
      undefined,
    ])
    expect(order).toEqual(['a', 'd', 'f', 'b'])
    expect([places.running, places.queued]).toEqual([0, 0])
  }))

test('who waits too long is refused, who gives up leaves; their places in the queue are free', () =>
  inVirtualTime(async (clock) => {
    const places = bulkhead({ max: 1, queue: 2, queueTimeout: 20, clock })
    const api = pipeline(places)
    const first = api.run(() => clock.sleep(100))
    const controller = new AbortController()
    const late = outcome(api.run(() => 1))
    const gone = outcome(api.run(() => 2, { signal: controller.signal }))
    controller.abort(broken)
    expect(await gone).toBe(broken)
    expect(places.queued).toBe(1)
    expect(await late).toBe('BULKHEAD_FULL')
    expect([clock.monotonic(), places.queued]).toEqual([20, 0])
    await first
    expect(await api.run(() => 3)).toBe(3)
    await api[Symbol.asyncDispose]()
  }))

test('a long queue of synchronous work does not overflow the stack', async () => {
  const hold = Promise.withResolvers<number>()
  const api = pipeline(bulkhead({ max: 1, queue: 50_000 }))
  const runs = [api.run(() => hold.promise), ...Array.from({ length: 50_000 }, (_, at) => api.run(() => at))]
  hold.resolve(-1)
  expect(new Set(await Promise.all(runs)).size).toBe(50_001)
})

test('never more than max at once, everybody is answered, and nothing is held in the end', () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        max: fc.integer({ min: 1, max: 3 }),
        queue: fc.nat(4),
        queueTimeout: fc.integer({ min: 1, max: 30 }),
      }),
      fc.array(
        fc.record({
          wait: fc.nat(8),
          takes: fc.option(fc.nat(20), { nil: undefined }),
          leaves: fc.option(fc.nat(30), { nil: undefined }),
          priority: fc.integer({ min: -1, max: 1 }),
        }),
        { maxLength: 40, size: 'max' },
      ),
      async (options, calls) => {
        await simulate({ runs: 1 }, async ({ clock }) => {
          const places = bulkhead({ ...options, clock })
          const api = pipeline(places)
          let running = 0
          const runs: Promise<unknown>[] = []
          for (const { wait, takes, leaves, priority } of calls) {
            await clock.sleep(wait)
            const controller = new AbortController()
            if (leaves !== undefined) clock.setTimeout(() => controller.abort('left'), leaves)
            const work = async ({ signal }: { readonly signal: AbortSignal }): Promise<string> => {
              running++
              expect(running).toBeLessThanOrEqual(options.max)
              // Work that was given up has left its place, though it notices a little later.
              let counted = true
              const leave = (): void => {
                if (counted) running--
                counted = false
              }
              signal.addEventListener('abort', leave)
              await clock.sleep(takes ?? 0, { signal }).finally(leave)
              return 'done'
            }
            const run = api.run(takes === undefined ? () => 'done' : work, {
              priority,
              signal: controller.signal,
            })
            runs.push(outcome(run))
          }
          for (const result of await Promise.all(runs))
            expect(['done', 'left', 'BULKHEAD_FULL']).toContain(result)
          expect([places.running, places.queued, running, api.running]).toEqual([0, 0, 0, 0])
          await api[Symbol.asyncDispose]()
        })
      },
    ),
    { numRuns: 60 },
  ))

test.each([
  ['max', { max: 0 }],
  ['queue', { max: 1, queue: -1 }],
  ['queueTimeout', { max: 1, queueTimeout: 0 }],
  ['size', { max: 1, size: 3 }],
])('refuses %s', (name, options) => {
  expect(() => bulkhead(options)).toThrow(name)
})
