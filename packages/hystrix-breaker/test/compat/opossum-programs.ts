import type { CircuitBreaker } from '@loadbearing/hystrix-breaker/opossum'
import fc from 'fast-check'
import { vi } from 'vitest'

/** One call, as its action gets it. */
export interface Call {
  readonly id: number
  readonly key: string
  readonly takes: number
  readonly ends: 'success' | 'failure' | 'filtered' | 'throws' | 'answers at once'
}

export type Step =
  | { readonly do: 'fire'; readonly call: Call }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'open' | 'close' | 'enable' | 'disable' | 'clearCache' }

export interface Program {
  readonly options: {
    readonly timeout: number | false
    readonly resetTimeout: number
    readonly errorThresholdPercentage: number
    readonly volumeThreshold: number
    readonly rollingCountTimeout: number
    readonly rollingCountBuckets: number
    readonly capacity: number
    readonly allowWarmUp: boolean
    readonly cache: boolean
    readonly cacheTTL: number
    readonly coalesce: boolean
    readonly coalesceTTL: number
    readonly coalesceResetOn: string[]
  }
  readonly fallback: boolean
  readonly steps: readonly Step[]
}

/** What was seen, and when; `call` where it is of one. */
export interface Seen {
  readonly at: number
  readonly what: string
  readonly call: number | undefined
  readonly detail: unknown
}

// Steps are taken 3 ms after a multiple of eight, and calls end there; time limits end one later, waits for a probe two
// after that, slices of the window turn at multiples of eight. Nothing is due together with something else, where the
// order would be that of the timers.
const eights = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max }).map((n) => 8 * n)

const call = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  takes: eights(0, 15),
  ends: fc.constantFrom('success', 'success', 'failure', 'failure', 'filtered', 'throws', 'answers at once'),
})

const step = fc.oneof(
  { weight: 12, arbitrary: call.map((each) => ({ do: 'fire' as const, call: each })) },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: eights(1, 18) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('open' as const, 'close' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('enable' as const, 'disable' as const, 'clearCache' as const),
    }),
  },
)

export const program: fc.Arbitrary<Program> = fc.record({
  options: fc.record({
    timeout: fc.constantFrom(false as const, 49, 97, 201),
    resetTimeout: fc.constantFrom(42, 98, 250),
    errorThresholdPercentage: fc.constantFrom(0, 25, 50, 75, 100),
    volumeThreshold: fc.constantFrom(0, 0, 2, 5),
    rollingCountTimeout: fc.constantFrom(64, 320, 9600),
    rollingCountBuckets: fc.constantFrom(1, 2, 8),
    capacity: fc.constantFrom(1, 2, 100),
    allowWarmUp: fc.constantFrom(false, false, false, true),
    cache: fc.constantFrom(false, false, true),
    cacheTTL: fc.constantFrom(0, 80),
    coalesce: fc.constantFrom(false, false, true),
    coalesceTTL: fc.constantFrom(0, 30, 200),
    coalesceResetOn: fc.subarray(['error', 'success', 'timeout']),
  }),
  fallback: fc.boolean(),
  steps: fc
    .array(step, { minLength: 1, maxLength: 60 })
    .map((steps): Step[] =>
      steps.map((each, id) => (each.do === 'fire' ? { do: 'fire', call: { ...each.call, id } } : each)),
    ),
})

interface Answer {
  readonly id: number
}

function act({ id, takes, ends }: Call): Answer | Promise<Answer> {
  const error = Object.assign(new Error(ends), { id })
  if (ends === 'throws') throw error
  if (ends === 'answers at once') return { id }
  return new Promise((resolve, reject) => {
    setTimeout(() => (ends === 'success' ? resolve({ id }) : reject(error)), takes)
  })
}

const events = [
  'fire',
  'success',
  'failure',
  'timeout',
  'reject',
  'semaphoreLocked',
  'fallback',
  'open',
  'close',
  'halfOpen',
  'cacheHit',
  'cacheMiss',
  'coalesceCacheHit',
  'coalesceCacheMiss',
] as const

/** Runs a program in fake time that begins at 0, until everything has ended. `watch` runs after each step. */
export async function run(
  Breaker: typeof CircuitBreaker,
  { options, fallback, steps }: Program,
  watch: (breaker: CircuitBreaker<[Call], Answer>) => void = () => {},
): Promise<Seen[]> {
  vi.useFakeTimers({ now: 0 })
  try {
    const seen: Seen[] = []
    const note = (what: string, of: number | undefined, detail: unknown): void => {
      seen.push({ at: Date.now(), what, call: of, detail })
    }
    const breaker = new Breaker(act, {
      ...options,
      cacheGetKey: ({ key }) => key,
      errorFilter: (error: Error) => error.message === 'filtered',
    })
    if (fallback) breaker.fallback(() => ({ id: -1 }))
    for (const name of events) breaker.on(name, (...args) => note(name, idOf(args), args.map(plain)))
    const calls: Promise<void>[] = []
    await vi.advanceTimersByTimeAsync(3)
    for (const each of steps) {
      if (each.do === 'wait') await vi.advanceTimersByTimeAsync(each.ms)
      else if (each.do !== 'fire') breaker[each.do]()
      else {
        const { id } = each.call
        calls.push(
          fired(breaker, each.call).then(
            (value) => note('resolved', id, value),
            (error: unknown) => note('rejected', id, plain(error)),
          ),
        )
        await vi.advanceTimersByTimeAsync(0)
      }
      watch(breaker)
      const { closed, opened, halfOpen, pendingClose, warmUp, stats } = breaker
      note('now', undefined, { closed, opened, halfOpen, pendingClose, warmUp, stats })
    }
    await vi.advanceTimersByTimeAsync(1000)
    await Promise.all(calls)
    breaker.shutdown()
    note('left', undefined, { places: breaker.semaphore.count, timers: vi.getTimerCount() })
    return seen
  } finally {
    vi.useRealTimers()
  }
}

// A disabled breaker of opossum throws what its action throws.
async function fired(breaker: CircuitBreaker<[Call], Answer>, one: Call): Promise<Answer> {
  return breaker.fire(one)
}

function idOf(args: readonly unknown[]): number | undefined {
  for (const arg of args.flat()) {
    const id: unknown = Reflect.get(Object(arg), 'id')
    if (typeof id === 'number') return id
  }
  return undefined
}

function plain(value: unknown): unknown {
  return value instanceof Error ? `${Reflect.get(value, 'code') ?? ''} ${value.message}` : value
}
