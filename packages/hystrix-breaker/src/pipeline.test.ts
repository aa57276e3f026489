import { simulate } from '@loadbearing/harness'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { broken, never, outcome } from '../test/pipeline/outcome.ts'
import { Breaker } from './breaker.ts'
import { pipeline } from './pipeline.ts'
import { exponential } from './policy/backoff.ts'
import { bulkhead } from './policy/bulkhead.ts'
import { circuitBreaker } from './policy/circuit-breaker.ts'
import { fallback } from './policy/fallback.ts'
import { hedge } from './policy/hedge.ts'
import { limit } from './policy/limit.ts'
import type { Policy } from './policy/policy.ts'
import { retry } from './policy/retry.ts'
import { throttle } from './policy/throttle.ts'
import { timeout } from './policy/timeout.ts'
import type { Clock, Random } from './ports.ts'
import { RetryBudget } from './retry-budget.ts'

function everyPolicy(clock: Clock, random: Random): Policy[] {
  return [
    throttle({ clock, random }),
    retry({ attempts: 3, backoff: exponential({ initial: 5, jitter: 'full', random }), clock }),
    hedge({ delay: 20, clock }),
    circuitBreaker({
      volumeThreshold: 5,
      sleepWindow: 30,
      bulkhead: { max: 3, queue: 2 },
      timeout: 40,
      clock,
    }),
    limit.aimd({ minLimit: 1, initialLimit: 3, clock }),
    timeout(30, { clock }),
    bulkhead({ max: 2, queue: 2, queueTimeout: 15, clock }),
  ]
}

const real = { now: () => Date.now(), monotonic: () => 0, setTimeout: () => 0, clearTimeout: () => {} }

describe('what the work gives', () => {
  const error = Object.freeze(new TypeError('frozen'))
  test.each([
    ['undefined', () => undefined, undefined],
    ['a value', () => 7, 7],
    ['a promise', () => Promise.resolve(7), 7],
    [
      'what throws',
      () => {
        throw error
      },
      error,
    ],
    ['a rejection with undefined', () => Promise.reject(undefined), undefined],
    ['a rejection', () => Promise.reject(error), error],
  ])('29: %s goes through all policies as it is', async (_, work: () => unknown, expected) => {
    const policies = everyPolicy(real, { next: () => 0.5 })
    expect(await outcome(pipeline(...policies.filter((_each, at) => at !== 1)).run(work))).toBe(expected)
    expect(await outcome(pipeline().run(work))).toBe(expected)
  })

  test('a thenable that answers twice, or throws, answers once', async () => {
    const odd: object = {}
    // oxlint-disable-next-line unicorn/no-thenable -- a thenable is what is tested
    Object.defineProperty(odd, 'then', {
      value: (resolve: (value: number) => void, reject: (error: unknown) => void) => {
        resolve(1)
        reject(broken)
        resolve(2)
        throw broken
      },
    })
    expect(await pipeline(bulkhead({ max: 1 })).run(() => odd)).toBe(1)
  })
})

test('the outermost policy comes first', async () => {
  const outside = pipeline(
    fallback(() => 'fallback'),
    circuitBreaker({ volumeThreshold: 1 }),
  )
  const inside = pipeline(
    circuitBreaker({ volumeThreshold: 1 }),
    fallback(() => 'fallback'),
  )
  for (let call = 0; call < 2; call++) {
    expect(await outside.run(() => Promise.reject(broken))).toBe('fallback')
    expect(await inside.run(() => Promise.reject(broken))).toBe('fallback')
  }
  const breakers = [circuitBreaker({ volumeThreshold: 1 }), circuitBreaker({ volumeThreshold: 1 })]
  const [closed, opened] = breakers
  if (closed === undefined || opened === undefined) throw new Error('two breakers')
  await pipeline(
    closed,
    fallback(() => 1),
    opened,
  ).run(() => Promise.reject(broken))
  expect(breakers.map(({ breaker }) => breaker.state)).toEqual(['closed', 'open'])
})

test('8: no AbortController where the work does not look at its signal, and one where it does', async () => {
  const controllers = vi.spyOn(globalThis, 'AbortController')
  try {
    const policies = everyPolicy(real, { next: () => 0.5 })
    const api = pipeline(...policies)
    await api.run(() => Promise.resolve(1))
    expect(controllers).not.toHaveBeenCalled()
    await api.run(({ signal }) => Promise.resolve(signal.aborted))
    expect(controllers).toHaveBeenCalledTimes(1)
  } finally {
    controllers.mockRestore()
  }
})

describe('the caller gives up', () => {
  test('1,000 aborts leave the circuit closed and uncounted, and nothing behind', () =>
    simulate({ runs: 2 }, async ({ clock, random }) => {
      const policies = everyPolicy(clock, { next: () => random.next() })
      const guard = circuitBreaker({ volumeThreshold: 1, clock })
      const api = pipeline(...policies, guard)
      const signals: AbortSignal[] = []
      for (let call = 0; call < 1000; call++) {
        const controller = new AbortController()
        const run = api.run(
          ({ signal }) => {
            signals.push(signal)
            return never()
          },
          { signal: controller.signal },
        )
        controller.abort(broken)
        expect(await outcome(run)).toBe(broken)
      }
      expect(signals).toHaveLength(1000)
      expect(signals.every(({ aborted, reason }) => aborted && reason === broken)).toBe(true)
      expect([guard.breaker.state, guard.breaker.counts.total, api.running]).toEqual(['closed', 0, 0])
      await api[Symbol.asyncDispose]()
      expect(clock.pending).toBe(0)
    }))

  test('before the start: the work is not called', async () => {
    const work = vi.fn<() => number>(() => 1)
    expect(await outcome(pipeline(retry()).run(work, { signal: AbortSignal.abort(broken) }))).toBe(broken)
    expect(work).not.toHaveBeenCalled()
  })

  test('a time limit outside of a breaker gives its call up uncounted, one inside is a failure', () =>
    simulate({ runs: 1 }, async ({ clock }) => {
      const own = new Breaker({ timeout: false, clock })
      expect(await outcome(pipeline(timeout(5, { clock }), circuitBreaker(own)).run(never))).toBe('TIMEOUT')
      expect(own.counts.total).toBe(0)
      expect(await outcome(pipeline(circuitBreaker(own), timeout(5, { clock })).run(never))).toBe('TIMEOUT')
      expect(own.counts).toMatchObject({ total: 1, failures: 1 })
      expect(own.calls).toEqual({ running: 0, queued: 0 })
      await own[Symbol.asyncDispose]()
    }))
})

describe('disposal', () => {
  test('28: running, waiting and queued runs are told, their signals aborted, and no timer is left', () =>
    simulate({ runs: 3 }, async ({ clock }) => {
      const signals: AbortSignal[] = []
      const api = pipeline(
        retry({ backoff: '1h', clock }),
        timeout('2h', { clock }),
        bulkhead({ max: 1, queue: 1, queueTimeout: '3h', clock }),
      )
      const waiting = outcome(api.run(() => Promise.reject(broken)))
      await clock.sleep(1)
      const running = outcome(
        api.run(({ signal }) => {
          signals.push(signal)
          return never()
        }),
      )
      const queued = outcome(api.run(() => 1))
      await api[Symbol.asyncDispose]()
      expect(await Promise.all([waiting, running, queued])).toEqual(['DISPOSED', 'DISPOSED', 'DISPOSED'])
      expect(signals[0]?.aborted).toBe(true)
      expect(await outcome(api.run(() => 1))).toBe('DISPOSED')
      expect([clock.pending, api.running]).toEqual([0, 0])
    }))

  test('a breaker that was given stays; one that was made goes', async () => {
    const given = new Breaker()
    const made = circuitBreaker()
    await pipeline(circuitBreaker(given), made)[Symbol.asyncDispose]()
    expect(await outcome(given.execute(() => 1))).toBe(1)
    expect(await outcome(made.breaker.execute(() => 1))).toBe('DISPOSED')
  })
})

test('whatever happens, each run is answered once and nothing is held in the end', async () => {
  const unhandled: unknown[] = []
  const note = (error: unknown): void => {
    unhandled.push(error)
  }
  process.on('unhandledRejection', note)
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6]),
        fc.array(
          fc.record({
            wait: fc.nat(10),
            takes: fc.option(fc.nat(60), { nil: undefined }),
            fails: fc.boolean(),
            heeds: fc.boolean(),
            leaves: fc.option(fc.nat(80), { nil: undefined }),
          }),
          { maxLength: 40, size: 'max' },
        ),
        async (order, calls) => {
          await simulate({ runs: 1 }, async ({ clock, random }) => {
            const all = everyPolicy(clock, { next: () => random.next() })
            const own = circuitBreaker(new Breaker({ volumeThreshold: 5, sleepWindow: 30, clock }))
            const places = bulkhead({ max: 5, clock })
            const inflight = limit.vegas({ clock, random })
            const chosen = order.flatMap((at) => all[at] ?? [])
            const api = pipeline(own, ...chosen, places, inflight)
            let open = 0
            const runs = calls.map(async ({ wait, takes, fails, heeds, leaves }, at) => {
              await clock.sleep(wait * at)
              const controller = new AbortController()
              if (leaves !== undefined) clock.setTimeout(() => controller.abort('left'), leaves)
              const work = async ({ signal }: { readonly signal: AbortSignal }): Promise<number> => {
                open++
                try {
                  await clock.sleep(takes ?? 0, heeds ? { signal } : {})
                } finally {
                  open--
                }
                if (fails) throw broken
                return at
              }
              const result = await outcome(
                api.run(takes === undefined && fails ? () => at : work, { signal: controller.signal }),
              )
              const possible = [
                at,
                broken,
                'left',
                'TIMEOUT',
                'CIRCUIT_OPEN',
                'BULKHEAD_FULL',
                'LIMIT_EXCEEDED',
                'THROTTLED',
                'BUDGET_EXHAUSTED',
              ]
              expect(possible).toContain(result)
              if (leaves === undefined) expect(result).not.toBe('left')
            })
            await Promise.all(runs)
            await clock.sleep(100)
            expect([api.running, places.running, places.queued, inflight.inflight, open]).toEqual([
              0, 0, 0, 0, 0,
            ])
            expect(own.breaker.calls).toEqual({ running: 0, queued: 0 })
            await api[Symbol.asyncDispose]()
            await own.breaker[Symbol.asyncDispose]()
            await clock.sleep(100)
            expect(clock.pending).toBe(0)
          })
        },
      ),
      { numRuns: 150 },
    )
  } finally {
    process.off('unhandledRejection', note)
  }
  expect(unhandled).toEqual([])
})

test('tells of what its policies do', () =>
  simulate({ runs: 1 }, async ({ clock }) => {
    const api = pipeline(
      { name: 'api', budget: new RetryBudget({ min: 0.1, ratio: 0 }) },
      fallback(() => 'fallback'),
      retry({ attempts: 2, backoff: 1, clock }),
      hedge({ delay: Infinity, clock }),
      bulkhead({ max: 1 }),
    )
    const told: unknown[] = []
    for (const name of ['retry', 'hedge', 'reject', 'fallback', 'error'] as const)
      api.on(name, (event) => told.push([name, { ...event }]))
    expect(await api.run(() => Promise.reject(broken))).toBe('fallback')
    expect(told).toMatchObject([
      ['hedge', { name: 'api', attempt: 2 }],
      ['reject', { name: 'api', code: 'BUDGET_EXHAUSTED' }],
      ['fallback', { name: 'api', error: { cause: broken } }],
    ])
  }))

test.each([
  ['policy 2', [retry(), 3]],
  ['policy 1', [{ name: 'api' }, retry]],
  ['nmae', [{ nmae: 'api' }]],
  ['name', [{ name: 3 }]],
  ['budget', [{ budget: 3 }]],
])('refuses %s', (name, given: readonly unknown[]) => {
  expect(() => Reflect.apply(pipeline, undefined, given)).toThrow(name)
})

test('refuses a priority that is none', async () => {
  await expect(pipeline().run(() => 1, { priority: 0.5 })).rejects.toThrow('priority')
})

test.each([
  ['work', [3]],
  ['options', [() => 1, null]],
  ['signal', [() => 1, { signal: null }]],
  ['signal', [() => 1, { signal: {} }]],
])('a run refuses %s that is none, and keeps nothing of it', async (name, given: readonly unknown[]) => {
  const api = pipeline(bulkhead({ max: 1 }))
  const run: unknown = Reflect.apply(api.run, api, given)
  await expect(run).rejects.toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining(name) })
  expect(api.running).toBe(0)
  expect(await api.run(() => 1)).toBe(1)
})

test.each([
  ['circuitBreaker', circuitBreaker],
  ['throttle', throttle],
  ['fallback', fallback],
  ['retry', retry],
  ['hedge', hedge],
  ['bulkhead', bulkhead],
])('%s refuses what are no options', (name, make) => {
  for (const junk of [null, 3, []])
    expect(() => Reflect.apply(make, undefined, [junk])).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
    )
})
