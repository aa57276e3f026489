import { CircuitBreaker } from '@loadbearing/hystrix-breaker/opossum'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Opossum } from './opossum-peer.ts'

type Breaker = typeof CircuitBreaker

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})

afterEach(() => {
  vi.useRealTimers()
})

/** Ends after `ms`, well or not. */
function work(ms: number, ends: 'well' | 'badly'): Promise<string> {
  return new Promise((resolve, reject) => {
    setTimeout(() => (ends === 'well' ? resolve('done') : reject(new Error('down'))), ms)
  })
}

function stateOf(breaker: Pick<CircuitBreaker, 'closed' | 'opened'>): string {
  if (breaker.closed) return 'closed'
  return breaker.opened ? 'open' : 'half-open'
}

// The seven of the specification and what else the face mends: what each shows, ours and opossum's.
const traces: readonly {
  readonly defect: string
  readonly ours: unknown
  readonly theirs: unknown
  readonly run: (Breaker: Breaker) => Promise<unknown>
}[] = [
  {
    defect: 'an action that returns undefined synchronously fails',
    ours: 'undefined, 0 failures',
    theirs: "Cannot read properties of undefined (reading 'then'), 1 failures",
    run: async (Breaker) => {
      const breaker = new Breaker(() => undefined)
      const answer = await breaker.fire().catch((error: Error) => error.message)
      return `${answer}, ${breaker.stats.failures} failures`
    },
  },
  {
    defect: 'a success of before the opening closes the half-open circuit',
    ours: 'half-open',
    theirs: 'closed',
    run: async (Breaker) => {
      const breaker = new Breaker(work, { resetTimeout: 100 })
      const late = breaker.fire(150, 'well')
      breaker.open()
      await vi.advanceTimersByTimeAsync(150)
      await late
      return stateOf(breaker)
    },
  },
  {
    defect: 'the window is kept after a close: one failure reopens',
    ours: 'closed',
    theirs: 'open',
    run: async (Breaker) => {
      const breaker = new Breaker(work, { resetTimeout: 100, volumeThreshold: 5 })
      const fire = async (ends: 'well' | 'badly'): Promise<void> => {
        const call = breaker.fire(1, ends).catch(() => {})
        await vi.advanceTimersByTimeAsync(1)
        await call
      }
      for (let time = 0; time < 5; time++) await fire('badly')
      await vi.advanceTimersByTimeAsync(100)
      await fire('well')
      expect(stateOf(breaker)).toBe('closed')
      await fire('badly')
      return stateOf(breaker)
    },
  },
  {
    defect: 'the time of the opening is that of the construction: a restored breaker half-opens too early',
    ours: 'open',
    theirs: 'half-open',
    run: async (Breaker) => {
      const breaker = new Breaker(work, { resetTimeout: 1000 })
      await vi.advanceTimersByTimeAsync(5000)
      breaker.open()
      const { state } = breaker.toJSON()
      return stateOf(new Breaker(work, { resetTimeout: 1000, state }))
    },
  },
  {
    defect: 'a restored breaker waits all over again',
    ours: 'half-open',
    theirs: 'open',
    run: async (Breaker) => {
      const breaker = new Breaker(work, { resetTimeout: 1000 })
      breaker.open()
      await vi.advanceTimersByTimeAsync(600)
      const restored = new Breaker(work, { resetTimeout: 1000, state: breaker.toJSON().state })
      await vi.advanceTimersByTimeAsync(400)
      return stateOf(restored)
    },
  },
  {
    defect: 'one time limit aborts the other calls',
    ours: ['first: true', 'second: false'],
    theirs: ['first: true', 'second: true'],
    run: async (Breaker) => {
      const signals = new Map<string, AbortSignal | undefined>()
      const breaker = new Breaker(
        (name: string) => {
          signals.set(name, breaker.getSignal())
          return new Promise<never>(() => {})
        },
        { timeout: 100, autoRenewAbortController: true },
      )
      const first = breaker.fire('first').catch(() => {})
      await vi.advanceTimersByTimeAsync(50)
      const second = breaker.fire('second').catch(() => {})
      await vi.advanceTimersByTimeAsync(50)
      await first
      const seen = [...signals].map(([name, signal]) => `${name}: ${signal?.aborted}`)
      await vi.advanceTimersByTimeAsync(50)
      await second
      return seen
    },
  },
  {
    defect:
      'a failure of before the opening reopens the half-open circuit, and the success of its probe is lost',
    ours: 'closed',
    theirs: 'open',
    run: async (Breaker) => {
      const breaker = new Breaker(work, { resetTimeout: 100 })
      const late = breaker.fire(150, 'badly').catch(() => {})
      breaker.open()
      await vi.advanceTimersByTimeAsync(100)
      const probe = breaker.fire(100, 'well')
      await vi.advanceTimersByTimeAsync(100)
      await Promise.all([late, probe])
      return stateOf(breaker)
    },
  },
  {
    defect: 'a probe that hangs is waited for for ever',
    ours: 'a probe again',
    theirs: 'no probe',
    run: async (Breaker) => {
      const breaker = new Breaker(() => new Promise<never>(() => {}), { timeout: false, resetTimeout: 100 })
      breaker.open()
      await vi.advanceTimersByTimeAsync(100)
      void breaker.fire()
      await vi.advanceTimersByTimeAsync(3_600_000)
      return breaker.pendingClose ? 'a probe again' : 'no probe'
    },
  },
  {
    defect: 'a full semaphore takes the probe',
    ours: 'half-open',
    theirs: 'open',
    run: async (Breaker) => {
      const breaker = new Breaker(work, { capacity: 1, resetTimeout: 100, timeout: false })
      const long = breaker.fire(150, 'well')
      breaker.open()
      await vi.advanceTimersByTimeAsync(100)
      await breaker.fire(1, 'well').catch(() => {})
      const state = stateOf(breaker)
      await vi.advanceTimersByTimeAsync(50)
      await long
      return state
    },
  },
  {
    defect: 'a late failure brings a breaker that was shut down back to life',
    ours: true,
    theirs: false,
    run: async (Breaker) => {
      const breaker = new Breaker(work, { errorThresholdPercentage: 1, volumeThreshold: 2 })
      const before = breaker.fire(10, 'badly').catch(() => {})
      await vi.advanceTimersByTimeAsync(10)
      await before
      const late = breaker.fire(10, 'badly').catch(() => {})
      breaker.shutdown()
      await vi.advanceTimersByTimeAsync(10)
      await late
      return breaker.isShutdown
    },
  },
  {
    defect: 'a failure in warm-up leaves the half-open circuit without a probe',
    ours: 'open',
    theirs: 'half-open, no probe',
    run: async (Breaker) => {
      const state = { closed: false, halfOpen: true, warmUp: true }
      const breaker = new Breaker(work, { state })
      const probe = breaker.fire(10, 'badly').catch(() => {})
      await vi.advanceTimersByTimeAsync(10)
      await probe
      return breaker.halfOpen && !breaker.pendingClose ? 'half-open, no probe' : stateOf(breaker)
    },
  },
  {
    defect: 'breakers made with one object of options share what they coalesce',
    ours: ['a', 'b'],
    theirs: ['a', 'a'],
    run: async (Breaker) => {
      const options = { coalesce: true }
      const first = new Breaker(async () => 'a', options)
      const second = new Breaker(async () => 'b', options)
      return [await first.fire(), await second.fire()]
    },
  },
  {
    defect: 'a synchronous failure stays shared in spite of coalesceResetOn',
    ours: 2,
    theirs: 1,
    run: async (Breaker) => {
      let runs = 0
      const breaker = new Breaker(
        () => {
          runs++
          throw new Error('down')
        },
        { coalesce: true, coalesceResetOn: ['error'], errorThresholdPercentage: 100 },
      )
      await breaker.fire().catch(() => {})
      await breaker.fire().catch(() => {})
      return runs
    },
  },
]

describe.each(traces)('$defect', ({ run, ours, theirs }) => {
  test('not here', async () => {
    expect(await run(CircuitBreaker)).toEqual(ours)
  })

  test('in opossum', async () => {
    expect(await run(Opossum)).toEqual(theirs)
  })
})

test('failures older than the window never count, also after an idle hour', async () => {
  const breaker = new CircuitBreaker(work, { errorThresholdPercentage: 50, volumeThreshold: 5 })
  const failing = Array.from({ length: 4 }, () => breaker.fire(1, 'badly').catch(() => {}))
  await vi.advanceTimersByTimeAsync(1)
  await Promise.all(failing)
  await vi.advanceTimersByTimeAsync(3_600_000)
  const one = breaker.fire(1, 'badly').catch(() => {})
  await vi.advanceTimersByTimeAsync(1)
  await one
  expect(breaker.closed).toBe(true)
  expect(breaker.stats.failures).toBe(1)
})
