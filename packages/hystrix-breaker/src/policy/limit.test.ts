import { simulate } from '@loadbearing/harness'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { broken, never, outcome } from '../../test/pipeline/outcome.ts'
import type { ConcurrencyLimit, LimitSample } from '../limit/limit.ts'
import { pipeline } from '../pipeline.ts'
import { limit } from './limit.ts'
import { timeout } from './timeout.ts'

class Recorded implements ConcurrencyLimit {
  limit = 2
  readonly samples: LimitSample[] = []

  sample(sample: LimitSample): number {
    this.samples.push(sample)
    return this.limit
  }
}

test('calls are samples: a success, a time limit inside as a drop; no other failure and no caller that leaves', () =>
  simulate({ runs: 1 }, async ({ clock }) => {
    const algorithm = new Recorded()
    const policy = limit.by(algorithm, { clock })
    const api = pipeline(policy, timeout(50, { clock }))
    const controller = new AbortController()
    const first = api.run(() => clock.sleep(30))
    const second = outcome(api.run(never))
    expect(await outcome(api.run(() => 1))).toBe('LIMIT_EXCEEDED')
    expect(policy.inflight).toBe(2)
    await first
    expect(await second).toBe('TIMEOUT')
    expect(await outcome(api.run(() => Promise.reject(broken)))).toBe(broken)
    const leaving = outcome(api.run(never, { signal: controller.signal }))
    controller.abort('left')
    expect(await leaving).toBe('left')
    expect(algorithm.samples).toEqual([
      { rtt: 30, inflight: 1, dropped: false },
      { rtt: 50, inflight: 2, dropped: true },
    ])
    expect(policy.inflight).toBe(0)
    await api[Symbol.asyncDispose]()
  }))

test('an error that droppedIf names is a drop; a time limit outside is one too', () =>
  simulate({ runs: 1 }, async ({ clock }) => {
    const algorithm = new Recorded()
    const api = pipeline(
      timeout(50, { clock }),
      limit.by(algorithm, { droppedIf: (error) => error === broken, clock }),
    )
    expect(await outcome(api.run(() => Promise.reject(broken)))).toBe(broken)
    expect(await outcome(api.run(never))).toBe('TIMEOUT')
    expect(algorithm.samples.map(({ dropped }) => dropped)).toEqual([true, true])
    expect(algorithm.samples.every(({ rtt }) => rtt > 0)).toBe(true)
    await api[Symbol.asyncDispose]()
  }))

test.each([
  ['gradient2', (): ReturnType<typeof limit.by> => limit.gradient2({ minLimit: 5 })],
  ['vegas', (): ReturnType<typeof limit.by> => limit.vegas({ random: { next: () => 0.5 } })],
  ['aimd', (): ReturnType<typeof limit.by> => limit.aimd({ minLimit: 5 })],
])('%s: never more in flight than its limit, and none in the end', (_, make) =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ wait: fc.nat(2), takes: fc.nat(200), fails: fc.boolean() }), {
        maxLength: 80,
        size: 'max',
      }),
      async (calls) => {
        await simulate({ runs: 1 }, async ({ clock }) => {
          const policy = make()
          const api = pipeline(policy)
          const runs: Promise<unknown>[] = []
          for (const { wait, takes, fails } of calls) {
            await clock.sleep(wait)
            const before = policy.inflight < policy.limit
            const run = outcome(
              api.run(() => clock.sleep(takes).then(() => (fails ? Promise.reject(broken) : 'done'))),
            )
            expect(policy.inflight).toBeLessThanOrEqual(
              Math.max(policy.limit, policy.inflight - (before ? 1 : 0)),
            )
            if (!before) expect(await run).toBe('LIMIT_EXCEEDED')
            runs.push(run)
          }
          await Promise.all(runs)
          expect(policy.inflight).toBe(0)
        })
      },
    ),
    { numRuns: 20 },
  ),
)

test('refuses options that are none', () => {
  expect(() => limit.gradient2({ smoothing: 2 })).toThrow('smoothing')
  expect(() => limit.vegas({ maxConcurrency: 0 })).toThrow('maxConcurrency')
  expect(() => limit.aimd({ backoffRatio: 2 })).toThrow('backoffRatio')
})
