import { Buffer } from 'node:buffer'
import type { Outbox, StagedJob } from '@loadbearing/stripe-idempotency'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

/** An outbox under test, empty, and how jobs get into it. */
export interface OpenOutbox extends AsyncDisposable {
  readonly outbox: Pick<Outbox<never>, 'drain'>
  stage(jobs: readonly StagedJob[]): Promise<void>
  /** In a transaction that is rolled back. Undefined where there are none. */
  stageInVain?(jobs: readonly StagedJob[]): Promise<void>
}

export function jobOf(n: number): StagedJob {
  return { id: `job-${n}`, name: 'receipt', payload: Buffer.from(`payload ${n}`) }
}

type Step =
  | { readonly do: 'stage'; readonly many: number }
  | { readonly do: 'drain'; readonly limit: number; readonly fails: boolean }
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('stage' as const), many: fc.integer({ min: 1, max: 5 }) }),
  fc.record({
    do: fc.constant('drain' as const),
    limit: fc.integer({ min: 1, max: 7 }),
    fails: fc.boolean(),
  }),
)

/** Every outbox must pass it. */
export function outboxSuite(name: string, open: () => Promise<OpenOutbox>, numRuns: number): void {
  describe(`${name}, as an outbox`, () => {
    test('hands over the oldest jobs until a delivery resolves, whatever failed before', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
          await using opened = await open()
          const expected: string[] = []
          let staged = 0
          for (const each of steps) {
            if (each.do === 'stage') {
              const jobs = Array.from({ length: each.many }, () => jobOf(staged++))
              await opened.stage(jobs)
              expected.push(...jobs.map(({ id }) => id))
              continue
            }
            const delivered: string[] = []
            const drained = opened.outbox.drain(each.limit, async (jobs) => {
              delivered.push(...jobs.map(({ id }) => id))
              if (each.fails) throw new RangeError('the queue is down')
            })
            const wanted = expected.slice(0, each.limit)
            if (each.fails && wanted.length > 0) await expect(drained).rejects.toThrow('the queue is down')
            else expect(await drained).toBe(wanted.length)
            expect(delivered).toEqual(wanted)
            if (!each.fails) expected.splice(0, wanted.length)
          }
        }),
        { numRuns },
      )
    })

    test('keeps names and payloads as they were given', async () => {
      await using opened = await open()
      const jobs: StagedJob[] = [
        { id: 'a', name: '__proto__', payload: new Uint8Array() },
        { id: 'b', name: "o'hare \\ \u0000 \u{1f4b0}", payload: Buffer.from([0, 255, 13, 10]) },
        { id: 'c', name: 'large', payload: Buffer.alloc(1 << 20, 7) },
      ]
      await opened.stage(jobs)
      const seen: StagedJob[] = []
      expect(await opened.outbox.drain(10, async (each) => void seen.push(...each))).toBe(3)
      expect(
        seen.map(({ id, name: each, payload }) => ({
          id,
          name: each,
          hex: Buffer.from(payload).toString('hex'),
        })),
      ).toEqual(
        jobs.map(({ id, name: each, payload }) => ({
          id,
          name: each,
          hex: Buffer.from(payload).toString('hex'),
        })),
      )
    })

    test('hands a job that is being delivered to nobody else', async () => {
      await using opened = await open()
      await opened.stage([jobOf(0), jobOf(1), jobOf(2)])
      const begun = Promise.withResolvers<void>()
      const end = Promise.withResolvers<void>()
      const first = opened.outbox.drain(2, async () => {
        begun.resolve()
        await end.promise
      })
      await begun.promise
      const others: string[] = []
      const take = async (jobs: readonly StagedJob[]): Promise<void> =>
        void others.push(...jobs.map(({ id }) => id))
      expect(await opened.outbox.drain(10, take)).toBe(1)
      expect(await opened.outbox.drain(10, take)).toBe(0)
      end.resolve()
      expect(await first).toBe(2)
      expect(await opened.outbox.drain(10, take)).toBe(0)
      expect(others).toEqual(['job-2'])
    })

    test('has no job of a transaction that was rolled back', async () => {
      await using opened = await open()
      await opened.stageInVain?.([jobOf(0)])
      await opened.stage([jobOf(1)])
      const seen: string[] = []
      await opened.outbox.drain(10, async (jobs) => void seen.push(...jobs.map(({ id }) => id)))
      expect(seen).toEqual(['job-1'])
    })
  })
}
