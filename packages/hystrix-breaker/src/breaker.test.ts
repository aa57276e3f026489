import { type Clock, simulate } from '@loadbearing/harness'
import { describe, expect, test, vi } from 'vitest'
import { Breaker } from './breaker.ts'
import type { BreakerOptions } from './breaker-options.ts'
import type { CallContext } from './call.ts'
import { isResilienceError } from './errors.ts'
import { breaker, type GuardedFunction } from './guarded-function.ts'
import { presets } from './preset/presets.ts'

const never = (): Promise<never> => new Promise<never>(() => {})
const broken = new Error('broken')

// A virtual clock; its timers fire while the body waits.
function inVirtualTime(
  options: BreakerOptions,
  body: (own: Breaker, clock: Clock & { sleep(ms: number): Promise<void> }) => Promise<void>,
): Promise<unknown> {
  return simulate({ runs: 5 }, async ({ clock }) => {
    const own = new Breaker({ name: 'users', ...options, clock })
    await body(own, clock)
    await own[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  })
}

function thenable(value: number): PromiseLike<number> {
  const object: object = {}
  // oxlint-disable-next-line unicorn/no-thenable -- a thenable is what is tested
  Object.defineProperty(object, 'then', { value: (resolve: (value: number) => void) => resolve(value) })
  return isThenable(object) ? object : Promise.resolve(value)
}

function isThenable(value: object): value is PromiseLike<number> {
  return 'then' in value
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    return error
  }
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await errorOf(promise)
  return isResilienceError(error) ? error.code : error
}

describe('what the work gives', () => {
  test.each([
    ['undefined', () => undefined, undefined],
    ['a plain value', () => 7, 7],
    ['a promise', () => Promise.resolve(7), 7],
    ['a thenable', () => thenable(7), 7],
  ])('29: %s', async (_, work: () => unknown, value) => {
    const own = new Breaker()
    expect(await own.execute(work)).toBe(value)
    expect(own.counts).toMatchObject({ total: 1, failures: 0 })
  })

  test.each([
    [
      'thrown',
      () => {
        throw broken
      },
      broken,
    ],
    ['rejected', () => Promise.reject(broken), broken],
    ['rejected with undefined', () => Promise.reject(undefined), undefined],
    ['a frozen error', () => Promise.reject(Object.freeze(new TypeError('frozen'))), expect.any(TypeError)],
  ])('what is %s comes as it is and counts', async (_, work: () => unknown, error) => {
    const own = new Breaker()
    expect(await errorOf(own.execute(work))).toEqual(error)
    expect(own.counts).toMatchObject({ total: 1, failures: 1 })
  })
})

describe('time limit', () => {
  test('8: aborts the signal of its own call, made only when looked at', () =>
    inVirtualTime({ timeout: 100 }, async (own, clock) => {
      const controllers = vi.spyOn(globalThis, 'AbortController')
      try {
        const blind = own.execute(never)
        expect(controllers).not.toHaveBeenCalled()
        const signals: AbortSignal[] = []
        const watching = own.execute(({ signal }) => {
          signals.push(signal)
          return never()
        })
        const blindCode = codeOf(blind)
        const watchingCode = codeOf(watching)
        await clock.sleep(50)
        const later = own.execute(({ signal }) => {
          signals.push(signal)
          return clock.sleep(80)
        })
        expect(await blindCode).toBe('TIMEOUT')
        expect(await watchingCode).toBe('TIMEOUT')
        expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
        await later
        expect(own.counts).toMatchObject({ total: 3, failures: 2 })
      } finally {
        controllers.mockRestore()
      }
    }))

  test('what comes after it is dropped, a rejection too', () =>
    inVirtualTime({ timeout: 10 }, async (own, clock) => {
      const slow = own.execute(async () => {
        await clock.sleep(20)
        throw broken
      })
      expect(await codeOf(slow)).toBe('TIMEOUT')
      await clock.sleep(20)
      expect(own.counts).toMatchObject({ total: 1, failures: 1 })
    }))
})

describe('the caller gives up', () => {
  test('1,000 aborts leave the circuit closed and uncounted', () =>
    inVirtualTime({}, async (own) => {
      for (let call = 0; call < 1000; call++) {
        const controller = new AbortController()
        const promise = own.execute(never, { signal: controller.signal })
        controller.abort(broken)
        expect(await errorOf(promise)).toBe(broken)
      }
      expect(own.state).toBe('closed')
      expect(own.counts.total).toBe(0)
      expect(own.calls).toEqual({ running: 0, queued: 0 })
    }))

  test('before the start: the work is not called; in the queue: its place goes to the next', () =>
    inVirtualTime({ bulkhead: { max: 1, queue: 2 } }, async (own) => {
      const work = vi.fn<() => number>(() => 1)
      expect(await errorOf(own.execute(work, { signal: AbortSignal.abort(broken) }))).toBe(broken)
      const first = Promise.withResolvers<number>()
      const running = own.execute(() => first.promise)
      const controller = new AbortController()
      const waiting = own.execute(work, { signal: controller.signal })
      const next = own.execute(() => 2)
      expect(await codeOf(own.execute(work))).toBe('BULKHEAD_FULL')
      controller.abort(broken)
      expect(await errorOf(waiting)).toBe(broken)
      expect(work).not.toHaveBeenCalled()
      first.resolve(1)
      expect(await Promise.all([running, next])).toEqual([1, 2])
    }))
})

test('7: a bulkhead that is full takes no probe: the circuit closes afterwards', () =>
  inVirtualTime(
    { volumeThreshold: 1, sleepWindow: 100, timeout: false, bulkhead: { max: 1 } },
    async (own, clock) => {
      const hold = Promise.withResolvers<number>()
      const holding = own.execute(() => hold.promise)
      own.circuit.trip(clock.monotonic())
      expect(await codeOf(own.execute(() => 1))).toBe('CIRCUIT_OPEN')
      await clock.sleep(100)
      expect(await codeOf(own.execute(() => 1))).toBe('BULKHEAD_FULL')
      expect(own.state).toBe('open')
      hold.resolve(0)
      await holding
      expect(await own.execute(() => 1)).toBe(1)
      expect(own.state).toBe('closed')
    },
  ))

test('3: of 10,000 calls at the end of the wait one runs', () =>
  inVirtualTime({ volumeThreshold: 1, sleepWindow: 100 }, async (own, clock) => {
    await errorOf(own.execute(() => Promise.reject(broken)))
    await clock.sleep(100)
    const work = vi.fn<() => Promise<number>>(() => Promise.resolve(1))
    const codes = await Promise.all(Array.from({ length: 10_000 }, () => codeOf(own.execute(work))))
    expect(work).toHaveBeenCalledTimes(1)
    expect(codes.filter((code) => code === 'CIRCUIT_OPEN')).toHaveLength(9999)
  }))

test('18: steps of the wall clock change nothing', () =>
  simulate({ runs: 5 }, async ({ clock }) => {
    const own = new Breaker({ volumeThreshold: 1, sleepWindow: 100, clock })
    await errorOf(own.execute(() => Promise.reject(broken)))
    clock.jump(3_600_000)
    expect(await codeOf(own.execute(() => 1))).toBe('CIRCUIT_OPEN')
    clock.jump(-7_200_000)
    await clock.sleep(100)
    expect(await own.execute(() => 1)).toBe(1)
    await own[Symbol.asyncDispose]()
  }))

test('15: breakers without calls hold no timer', () =>
  simulate({ runs: 1 }, async ({ clock }) => {
    const idle = Array.from({ length: 10_000 }, (_, name) => new Breaker({ name: String(name), clock }))
    expect(clock.pending).toBe(0)
    expect(idle).toHaveLength(10_000)
  }))

test('28: disposal rejects what runs and waits, and aborts', () =>
  inVirtualTime({ bulkhead: { max: 1, queue: 1 } }, async (own) => {
    const seen: AbortSignal[] = []
    const running = codeOf(
      own.execute(({ signal }) => {
        seen.push(signal)
        return never()
      }),
    )
    const waiting = codeOf(own.execute(() => 1))
    await own[Symbol.asyncDispose]()
    expect([await running, await waiting]).toEqual(['DISPOSED', 'DISPOSED'])
    expect(seen[0]?.aborted).toBe(true)
    expect(await codeOf(own.execute(() => 1))).toBe('DISPOSED')
  }))

test('28: what only its work can end is asked to end, and has the answer of its work; nothing comes of it', () =>
  simulate({ runs: 3 }, async ({ clock }) => {
    const own = new Breaker({ timeout: false, volumeThreshold: 1, autoHalfOpen: true, clock })
    const work = Promise.withResolvers<number>()
    const contexts: CallContext[] = []
    const call = own.execute((context) => {
      contexts.push(context)
      return work.promise
    })
    await own[Symbol.asyncDispose]()
    // Looked at only now.
    expect(contexts[0]?.signal.aborted).toBe(true)
    expect(contexts[0]?.signal.reason).toMatchObject({ code: 'DISPOSED' })
    work.reject(broken)
    expect(await errorOf(call)).toBe(broken)
    expect(clock.pending).toBe(0)
  }))

describe('what counts', () => {
  test('isFailure lets errors pass uncounted; one that throws is told of, and the call counts', async () => {
    const own = new Breaker({ isFailure: (error) => error !== broken })
    expect(await errorOf(own.execute(() => Promise.reject(broken)))).toBe(broken)
    expect(own.counts.total).toBe(0)
    const odd = new Breaker({
      isFailure: () => {
        throw new TypeError('odd')
      },
    })
    const told: unknown[] = []
    odd.on('error', ({ error }) => told.push(error))
    expect(await errorOf(odd.execute(() => Promise.reject(broken)))).toBe(broken)
    expect(odd.counts.failures).toBe(1)
    expect(told).toEqual([new TypeError('odd')])
  })

  test('state changes are told with their reason', async () => {
    const own = new Breaker({ name: 'bank', circuit: presets.opossum() })
    const told: unknown[] = []
    const end = own.on('stateChange', ({ name, from, to, reason, generation }) =>
      told.push([name, from, to, reason, generation]),
    )
    await errorOf(own.execute(() => Promise.reject(broken)))
    end()
    own.reset()
    expect(told).toEqual([['bank', 'closed', 'open', 'failure-rate', 1]])
  })
})

describe('a guarded function', () => {
  test('passes its arguments and the context, and takes a signal', async () => {
    const add = breaker((a: number, b: number, { signal }: CallContext) => (signal.aborted ? 0 : a + b))
    expect(await add(1, 2)).toBe(3)
    expect(await add.withSignal(new AbortController().signal)(3, 4)).toBe(7)
    expect(await errorOf(add.withSignal(AbortSignal.abort(broken))(1, 2))).toBe(broken)
  })

  test('falls back, without influence on the circuit; a fallback into itself does not hang', async () => {
    const read: GuardedFunction<[string], string> = breaker(
      (key: string, _context: CallContext): Promise<string> => Promise.reject(new Error(key)),
      {
        volumeThreshold: 2,
        fallback: async (error, key) => (isResilienceError(error) ? `cached ${key}` : read(key)),
      },
    )
    expect(await read('a')).toBe('cached a')
    expect(read.breaker.state).toBe('open')
  })

  test('both errors come where the fallback fails too; none where the error does not count', async () => {
    const options = { fallback: () => Promise.reject(new TypeError('second')) }
    const failing = breaker((_context: CallContext): Promise<string> => Promise.reject(broken), options)
    const error = await errorOf(failing())
    expect(error).toMatchObject({ code: 'FALLBACK_FAILED' })
    expect(error instanceof Error && error.cause instanceof AggregateError && error.cause.errors).toEqual([
      broken,
      new TypeError('second'),
    ])
    const passing = breaker((_context: CallContext): Promise<string> => Promise.reject(broken), {
      ...options,
      isFailure: () => false,
    })
    expect(await errorOf(passing())).toBe(broken)
  })
})

test('goes on from a snapshot, the wait less the time between', () =>
  simulate({ runs: 1 }, async ({ clock }) => {
    const options = { volumeThreshold: 1, sleepWindow: 100, clock }
    const first = new Breaker(options)
    await errorOf(first.execute(() => Promise.reject(broken)))
    const saved = JSON.parse(JSON.stringify(first.snapshot()))
    await clock.sleep(60)
    const second = new Breaker(options)
    second.restore(saved)
    expect(await errorOf(second.execute(() => 1))).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfter: 40 })
    await first[Symbol.asyncDispose]()
    await second[Symbol.asyncDispose]()
  }))
