import { type SimulatedClock, simulate } from '@loadbearing/harness'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { broken, outcome } from '../../test/pipeline/outcome.ts'
import { ResilienceError } from '../errors.ts'
import { pipeline } from '../pipeline.ts'
import { RetryBudget } from '../retry-budget.ts'
import { exponential } from './backoff.ts'
import { circuitBreaker } from './circuit-breaker.ts'
import { hedge } from './hedge.ts'
import type { Policy } from './policy.ts'
import { retry } from './retry.ts'

async function inVirtualTime(body: (clock: SimulatedClock) => Promise<void>): Promise<void> {
  await simulate({ runs: 3 }, async ({ clock }) => {
    await body(clock)
    expect(clock.pending).toBe(0)
  })
}

function answersThenThrows<R>(onValue?: ((value: number) => R | PromiseLike<R>) | null): never {
  void onValue?.(1)
  throw broken
}

const fails = (): Promise<never> => Promise.reject(broken)

describe('retry', () => {
  test('makes the attempts with the waits between, then gives the last error as it is', () =>
    inVirtualTime(async (clock) => {
      const at: number[] = []
      const api = pipeline(retry({ attempts: 4, backoff: exponential({ initial: 100 }), clock }))
      const work = (): Promise<never> => {
        at.push(clock.monotonic())
        return fails()
      }
      expect(await outcome(api.run(work))).toBe(broken)
      expect(at).toEqual([0, 100, 300, 700])
    }))

  test('ends with the first success; tells of each retry', () =>
    inVirtualTime(async (clock) => {
      const api = pipeline({ name: 'api' }, retry({ backoff: 10, clock }))
      const told: unknown[] = []
      api.on('retry', (event) => told.push(event))
      let calls = 0
      expect(await api.run(() => (++calls < 2 ? fails() : calls))).toBe(2)
      expect(told).toEqual([{ name: 'api', attempt: 2, delay: 10, error: broken }])
    }))

  test.each([
    ['alone', (): Policy[] => []],
    ['around a breaker', (): Policy[] => [circuitBreaker({ volumeThreshold: 10_000 })]],
    ['around hedged calls', (): Policy[] => [hedge({ max: 1, budget: false })]],
    ['around retries', (): Policy[] => [retry({ attempts: 2, backoff: 0, budget: false })]],
  ])('without a wait, of work that throws, its attempts do not stand on each other: %s', async (_, inner) => {
    const work = vi.fn<() => never>(() => {
      throw broken
    })
    const api = pipeline(retry({ attempts: 1000, backoff: 0, budget: false }), ...inner())
    expect(await outcome(api.run(work))).toBe(broken)
    expect(work.mock.calls.length).toBeGreaterThanOrEqual(1000)
    expect(api.running).toBe(0)
  })

  test('work whose thenable throws after it answered is not tried again', async () => {
    // oxlint-disable-next-line unicorn/no-thenable
    const twice: PromiseLike<number> = { then: answersThenThrows }
    const work = vi.fn<() => PromiseLike<number>>(() => twice)
    const api = pipeline(retry({ backoff: 0 }))
    expect(await api.run(work)).toBe(1)
    expect(work).toHaveBeenCalledTimes(1)
    expect(api.running).toBe(0)
  })

  test('a caller that gives up during the wait is answered at once, and there is no further attempt', () =>
    inVirtualTime(async (clock) => {
      const work = vi.fn<() => Promise<never>>(fails)
      const controller = new AbortController()
      const run = pipeline(retry({ backoff: '1h', clock })).run(work, { signal: controller.signal })
      await clock.sleep(1)
      controller.abort('enough')
      expect(await outcome(run)).toBe('enough')
      expect(clock.monotonic()).toBe(1)
      expect(work).toHaveBeenCalledTimes(1)
    }))

  test('a retryIf, or a listener, that gives the run up ends it before the wait', () =>
    inVirtualTime(async (clock) => {
      const controller = new AbortController()
      const retryIf = (): boolean => {
        controller.abort('enough')
        return true
      }
      const run = pipeline(retry({ backoff: '1h', retryIf, clock })).run(fails, { signal: controller.signal })
      expect([await outcome(run), clock.monotonic()]).toEqual(['enough', 0])
    }))

  test('retries results where asked; the last one stands', () =>
    inVirtualTime(async (clock) => {
      let status = 500
      const api = pipeline(retry({ attempts: 3, backoff: 1, retryResult: (value) => value !== 200, clock }))
      expect(await api.run(() => ++status)).toBe(503)
    }))

  test('refusals of policies and errors that retryIf lets pass are not retried; time limits are', () =>
    inVirtualTime(async (clock) => {
      const attemptsFor = async (error: unknown, retryIf?: (error: unknown) => boolean): Promise<number> => {
        const work = vi.fn<() => never>(() => {
          throw error
        })
        const api = pipeline(retry({ backoff: 1, clock, ...(retryIf === undefined ? {} : { retryIf }) }))
        expect(await outcome(api.run(work))).toEqual(error instanceof ResilienceError ? error.code : error)
        return work.mock.calls.length
      }
      expect(await attemptsFor(new ResilienceError('CIRCUIT_OPEN', 'open'))).toBe(1)
      expect(await attemptsFor(new ResilienceError('TIMEOUT', 'slow'))).toBe(3)
      expect(await attemptsFor(broken, (error) => error !== broken)).toBe(1)
      expect(await attemptsFor(undefined)).toBe(3)
    }))

  test('a retryIf or backoff that throws is told of, and changes no outcome', () =>
    inVirtualTime(async (clock) => {
      const odd = (): never => {
        throw new TypeError('odd')
      }
      const options: unknown[] = []
      for (const one of [retry({ retryIf: odd, clock }), retry({ backoff: odd, clock })]) {
        const api = pipeline(one)
        api.on('error', ({ option }) => options.push(option))
        expect(await outcome(api.run(fails))).toBe(broken)
      }
      expect(options).toEqual(['retryIf', 'backoff', 'backoff'])
    }))

  test.each([
    ['attempts', { attempts: 0 }],
    ['backoff', { backoff: -1 }],
    ['budget', { budget: 0.2 }],
    ['retryIf', { retryIf: 'always' }],
    ['atempts', { atempts: 3 }],
  ])('refuses %s', (name, options: object) => {
    expect(() => retry(options)).toThrow(name)
  })
})

describe('22: the budget', () => {
  test('of 1,000 failing calls at most 200 and the reserve are retried; then the error says why, and keeps its cause', () =>
    inVirtualTime(async (clock) => {
      const budget = new RetryBudget({ ttl: '10s', min: 3, ratio: 0.2 })
      const api = pipeline(retry({ attempts: 5, backoff: 0, budget, clock }))
      let attempts = 0
      const codes = new Map<unknown, number>()
      for (let call = 0; call < 1000; call++) {
        await clock.sleep(1)
        const error = await api
          .run(() => {
            attempts++
            return fails()
          })
          .catch((reason: unknown) => reason)
        const code = error instanceof ResilienceError ? error.code : error
        codes.set(code, (codes.get(code) ?? 0) + 1)
        if (error instanceof ResilienceError) expect(error.cause).toBe(broken)
      }
      expect(attempts - 1000).toBeLessThanOrEqual(200 + 30)
      expect(attempts - 1000).toBeGreaterThan(200)
      expect(codes.get('BUDGET_EXHAUSTED')).toBeGreaterThan(900)
    }))

  test('is one for the retries and hedges of a pipeline: no more than 1.2 attempts a run, beside the reserve', async () => {
    let extra = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ wait: fc.nat(30), takes: fc.nat(60), fails: fc.boolean() }), {
          minLength: 100,
          maxLength: 150,
          size: 'max',
        }),
        async (calls) => {
          await simulate({ runs: 1 }, async ({ clock }) => {
            const budget = new RetryBudget({ ttl: '1h', min: 0.001, ratio: 0.2 })
            const api = pipeline(
              { budget },
              retry({ attempts: 4, backoff: 5, clock }),
              hedge({ delay: 10, max: 3, clock }),
            )
            let attempts = 0
            let running = 0
            const runs: Promise<unknown>[] = []
            for (const { wait, takes, fails: rejects } of calls) {
              await clock.sleep(wait)
              runs.push(
                outcome(
                  api.run(async ({ signal }) => {
                    attempts++
                    running++
                    try {
                      await clock.sleep(takes, { signal })
                    } finally {
                      running--
                    }
                    if (rejects) throw broken
                  }),
                ),
              )
            }
            await Promise.all(runs)
            // For the losers to notice.
            await clock.sleep(1)
            expect(attempts).toBeLessThanOrEqual(calls.length * 1.2 + 4)
            extra += attempts - calls.length
            expect([running, api.running, clock.pending]).toEqual([0, 0, 0])
          })
        },
      ),
      { numRuns: 20 },
    )
    expect(extra).toBeGreaterThan(0)
  })

  test('by default it is the own one of the pipeline; false is none', () =>
    inVirtualTime(async (clock) => {
      let attempts = 0
      const work = (): Promise<never> => {
        attempts++
        return fails()
      }
      const limited = pipeline(retry({ attempts: 2, backoff: 0, clock }))
      for (let call = 0; call < 1000; call++) await outcome(limited.run(work))
      // 20 %, and 10 a second for 10 s.
      expect(attempts).toBe(1000 + 200 + 100)
      attempts = 0
      const unlimited = pipeline({ budget: false }, retry({ attempts: 2, backoff: 0, clock }))
      for (let call = 0; call < 1000; call++) await outcome(unlimited.run(work))
      expect(attempts).toBe(2000)
    }))
})
