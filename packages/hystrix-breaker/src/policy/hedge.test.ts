import { type SimulatedClock, simulate } from '@loadbearing/harness'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { broken, outcome } from '../../test/pipeline/outcome.ts'
import type { CallContext } from '../call.ts'
import { ResilienceError } from '../errors.ts'
import { pipeline } from '../pipeline.ts'
import { type HedgeOptions, hedge } from './hedge.ts'

interface Attempt {
  readonly takes: number
  readonly fails?: boolean
}

interface Seen {
  readonly startedAt: number
  readonly signal: AbortSignal
}

/** Runs attempts that take and end as given; what became of it and when, and when each attempt began. */
async function race(
  clock: SimulatedClock,
  options: HedgeOptions,
  attempts: readonly Attempt[],
): Promise<{ result: unknown; at: number; seen: readonly Seen[] }> {
  const seen: Seen[] = []
  const api = pipeline({ budget: false }, hedge({ ...options, clock }))
  const result = await outcome(
    api.run(async ({ signal }: CallContext) => {
      const place = seen.length
      const { takes, fails = false } = attempts[place] ?? { takes: 0 }
      seen.push({ startedAt: clock.monotonic(), signal })
      await clock.sleep(takes, { signal })
      if (fails) throw new Error(`attempt ${place + 1}`)
      return place + 1
    }),
  )
  expect(api.running).toBe(0)
  return { result, at: clock.monotonic(), seen }
}

async function inVirtualTime(body: (clock: SimulatedClock) => Promise<void>): Promise<void> {
  await simulate({ runs: 3 }, async ({ clock }) => {
    await body(clock)
    expect(clock.pending).toBe(0)
  })
}

const starts = (seen: readonly Seen[]): number[] => seen.map(({ startedAt }) => startedAt)
const aborted = (seen: readonly Seen[]): boolean[] => seen.map(({ signal }) => signal.aborted)

test('a slow first attempt gets company after the delay; the first answer wins and the loser is aborted', () =>
  inVirtualTime(async (clock) => {
    const { result, at, seen } = await race(clock, { delay: 100 }, [{ takes: 500 }, { takes: 50 }])
    expect([result, at]).toEqual([2, 150])
    expect(starts(seen)).toEqual([0, 100])
    expect(aborted(seen)).toEqual([true, false])
  }))

test('a fast one gets none', () =>
  inVirtualTime(async (clock) => {
    const { result, seen } = await race(clock, { delay: 100, max: 10 }, [{ takes: 99 }])
    expect([result, seen.length]).toEqual([1, 1])
  }))

test('delay 0 begins all at once, Infinity only after a failure', () =>
  inVirtualTime(async (clock) => {
    const all = await race(clock, { delay: 0, max: 2 }, [{ takes: 30 }, { takes: 20 }, { takes: 10 }])
    expect([all.result, starts(all.seen), aborted(all.seen)]).toEqual([3, [0, 0, 0], [true, true, false]])
    const began = clock.monotonic()
    const failing = { takes: 5000, fails: true }
    const later = await race(clock, { delay: Infinity, max: 2 }, [failing, failing, { takes: 1 }])
    expect([later.result, starts(later.seen)]).toEqual([3, [began, began + 5000, began + 10_000]])
  }))

test('a failure starts the next attempt before the delay; where all fail it is the first failure', () =>
  inVirtualTime(async (clock) => {
    const failing = { takes: 10, fails: true }
    const { result, seen } = await race(clock, { delay: 1000, max: 2 }, [failing, failing, failing])
    expect(result).toEqual(new Error('attempt 1'))
    expect(starts(seen)).toEqual([0, 10, 20])
  }))

test('an answer that is not acceptable does not win, and stands where none is', () =>
  inVirtualTime(async (clock) => {
    const odd = { delay: 10, accept: (value: unknown): boolean => value !== 1 }
    expect((await race(clock, odd, [{ takes: 5 }, { takes: 5 }])).result).toBe(2)
    expect((await race(clock, { ...odd, accept: () => false }, [{ takes: 5 }, { takes: 5 }])).result).toBe(1)
  }))

test('p95: the delay is 2 s until 20 calls are known, then the percentile of the last minute', () =>
  inVirtualTime(async (clock) => {
    const api = pipeline({ budget: false }, hedge({ delay: 'p95', clock }))
    for (let call = 1; call <= 100; call++) await api.run(() => clock.sleep(call))
    await clock.sleep(1000)
    const starting: number[] = []
    const began = clock.monotonic()
    await api.run(async ({ signal }) => {
      starting.push(clock.monotonic() - began)
      await clock.sleep(starting.length === 1 ? 1500 : 1, { signal })
    })
    expect(starting[0]).toBe(0)
    expect(starting[1]).toBeGreaterThan(95 * 0.97)
    expect(starting[1]).toBeLessThan(95 * 1.03)
    const fresh = await race(clock, { delay: 'p99.9' }, [{ takes: 2500 }, { takes: 1 }])
    expect(starts(fresh.seen).map((at, _, [first = 0]) => at - first)).toEqual([0, 2000])
  }))

test('a caller that gives up ends all attempts', () =>
  inVirtualTime(async (clock) => {
    const signals: AbortSignal[] = []
    const controller = new AbortController()
    const api = pipeline(hedge({ delay: 10, max: 3, clock }))
    const run = outcome(
      api.run(
        ({ signal }) => {
          signals.push(signal)
          return new Promise(() => {})
        },
        { signal: controller.signal },
      ),
    )
    await clock.sleep(25)
    controller.abort(broken)
    expect(await run).toBe(broken)
    expect(signals.map(({ aborted: over, reason }) => [over, reason])).toEqual([
      [true, broken],
      [true, broken],
      [true, broken],
    ])
    expect(api.running).toBe(0)
  }))

test('a refusal starts no other attempt; one of a hedge leaves the first alone', () =>
  inVirtualTime(async (clock) => {
    const refused = new ResilienceError('CIRCUIT_OPEN', 'open')
    const work = vi.fn<() => Promise<never>>(() => Promise.reject(refused))
    expect(await outcome(pipeline(hedge({ delay: 10, clock })).run(work))).toBe('CIRCUIT_OPEN')
    expect(work).toHaveBeenCalledTimes(1)
    let calls = 0
    const first = pipeline(hedge({ delay: 10, clock })).run(async () => {
      if (++calls > 1) throw refused
      await clock.sleep(100)
      return 'first'
    })
    expect(await first).toBe('first')
  }))

test('against a model: who wins, when, and that all others are aborted', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ takes: fc.integer({ min: 1, max: 40 }), fails: fc.boolean() }), {
        minLength: 4,
        maxLength: 4,
      }),
      fc.constantFrom(0, 7, 15, Infinity),
      fc.integer({ min: 1, max: 3 }),
      async (attempts, delay, max) => {
        const expected = model(attempts, delay, max)
        fc.pre(delay === 0 || !expected.tied)
        await simulate({ runs: 1 }, async ({ clock }) => {
          const { result, at, seen } = await race(clock, { delay, max }, attempts)
          expect(starts(seen)).toEqual(expected.starts)
          expect(at).toBe(expected.at)
          if (expected.winners.length === 0) expect(result).toEqual(new Error('attempt 1'))
          else {
            expect(expected.winners).toContain(result)
            const running = seen.filter((_, place) => {
              const { takes = 0 } = attempts[place] ?? {}
              return (expected.starts[place] ?? 0) + takes > at
            })
            expect(running.every(({ signal }) => signal.aborted)).toBe(true)
          }
          expect(clock.pending).toBe(0)
        })
      },
    ),
  ))

/** Millisecond by millisecond. `tied` where two things happen in one, whose order is not given. */
function model(
  attempts: readonly { readonly takes: number; readonly fails: boolean }[],
  delay: number,
  max: number,
): { starts: number[]; winners: number[]; at: number; tied: boolean } {
  const began = delay === 0 ? Array.from({ length: max + 1 }, () => 0) : [0]
  let timer = delay
  let tied = false
  for (let now = 1; ; now++) {
    const ended = began.flatMap((start, place) =>
      start + (attempts[place]?.takes ?? 0) === now ? [place] : [],
    )
    const due = now === timer && began.length <= max ? 1 : 0
    if (due === 1) timer += delay
    tied ||= ended.length + due > 1
    const winners = ended.filter((place) => attempts[place]?.fails === false).map((place) => place + 1)
    if (winners.length > 0) return { starts: began, winners, at: now, tied }
    const starting = Math.min(ended.length + due, max + 1 - began.length)
    for (let extra = 0; extra < starting; extra++) began.push(now)
    const out = began.some((start, place) => start + (attempts[place]?.takes ?? 0) > now)
    if (!out) return { starts: began, winners: [], at: now, tied }
  }
}

test.each([
  ['delay', { delay: 'p101' }],
  ['delay', { delay: -1 }],
  ['max', { max: 11 }],
  ['accept', { accept: true }],
  ['budget', { budget: null }],
])('refuses %s', (name, options: object) => {
  expect(() => hedge(options)).toThrow(name)
})
