import { simulate } from '@loadbearing/harness'
import { describe, expect, test } from 'vitest'
import { Breaker } from './breaker.ts'
import type { BreakerOptions } from './breaker-options.ts'
import type { ExecuteOptions } from './call.ts'
import { isResilienceError } from './errors.ts'
import type { ExecutionEvent } from './events.ts'
import { breaker } from './guarded-function.ts'
import type { CallEvent } from './metrics/call-event.ts'
import { presets } from './preset/presets.ts'

const broken = new Error('broken')
const never = (): Promise<never> => new Promise<never>(() => {})
const quiet = (): void => {}
const fail = (): Promise<never> => Promise.reject(broken)

interface Virtual {
  readonly own: Breaker
  readonly told: ExecutionEvent[]
  pass(ms: number): Promise<void>
}

async function inVirtualTime(
  options: BreakerOptions,
  body: (virtual: Virtual) => Promise<void>,
): Promise<void> {
  await simulate({ runs: 3 }, async ({ clock }) => {
    const own = new Breaker({ name: 'users', ...options, clock })
    const told: ExecutionEvent[] = []
    own.on('execution', (event) => told.push(event))
    await body({ own, told, pass: (ms) => clock.sleep(ms) })
    await own[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  })
}

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call
  } catch (error) {
    return isResilienceError(error) ? error.code : error
  }
}

type Row = [string, () => unknown, ExecuteOptions<unknown>, CallEvent[], unknown]

describe('what happened in a call', () => {
  const answer = { fallback: () => 'fallback' }
  const refuse = { fallback: () => 'fallback', fallbackMax: 0 }
  const rows: readonly Row[] = [
    ['work that ends well', () => 1, {}, ['SUCCESS'], 1],
    ['that fails', fail, {}, ['FAILURE', 'FALLBACK_MISSING'], broken],
    ['that fails, with a fallback', fail, answer, ['FAILURE', 'FALLBACK_SUCCESS'], 'fallback'],
    ['and one that fails', fail, { fallback: fail }, ['FAILURE', 'FALLBACK_FAILURE'], 'FALLBACK_FAILED'],
    ['and none, on purpose', fail, { fallback: false }, ['FAILURE'], broken],
    ['and too many of them', fail, refuse, ['FAILURE', 'FALLBACK_REJECTION'], 'FALLBACK_FAILED'],
    ['that is too slow', never, {}, ['TIMEOUT', 'FALLBACK_MISSING'], 'TIMEOUT'],
    ['that is too slow, with a fallback', never, answer, ['TIMEOUT', 'FALLBACK_SUCCESS'], 'fallback'],
  ]
  test.each(rows)('%s', (_, work, options, events, result) =>
    inVirtualTime({}, async ({ own, told }) => {
      const execution = own.start<unknown>(work, options)
      expect(await codeOf(execution.answer)).toBe(result)
      expect(execution.events).toEqual(events)
      expect(told).toHaveLength(1)
      expect(told[0]).toMatchObject({ name: 'users', events, duration: events[0] === 'TIMEOUT' ? 1000 : 0 })
    }),
  )

  test('refused by the circuit, the semaphore and the pool', () =>
    inVirtualTime({ bulkhead: { max: 1 } }, async ({ own, told }) => {
      void own.execute(never).catch(quiet)
      expect(await codeOf(own.execute(() => 1))).toBe('BULKHEAD_FULL')
      own.force('forced-open')
      expect(await codeOf(own.execute<unknown>(() => 1, answer))).toBe('fallback')
      const pool = new Breaker({ bulkhead: { max: 0, isolation: 'THREAD' } })
      const refused = pool.start(() => 1)
      expect(await codeOf(refused.answer)).toBe('BULKHEAD_FULL')
      expect(refused.events).toEqual(['THREAD_POOL_REJECTED', 'FALLBACK_MISSING'])
      expect(told.map(({ events }) => events)).toEqual([
        ['SEMAPHORE_REJECTED', 'FALLBACK_MISSING'],
        ['SHORT_CIRCUITED', 'FALLBACK_SUCCESS'],
      ])
    }))

  test('given up while it runs, waits and falls back', () =>
    inVirtualTime({ bulkhead: { max: 1, queue: 1 } }, async ({ own, told }) => {
      const give = (work: () => unknown, fallback?: () => unknown): AbortController => {
        const controller = new AbortController()
        own.execute(work, { signal: controller.signal, fallback }).catch(quiet)
        return controller
      }
      const running = give(never)
      const waiting = give(() => 1)
      waiting.abort(broken)
      running.abort(broken)
      const fallingBack = give(fail, never)
      await Promise.resolve()
      await new Promise<void>((resolve) => setImmediate(resolve))
      fallingBack.abort(broken)
      expect(told.map(({ events }) => events)).toEqual([
        ['CANCELLED'],
        ['CANCELLED'],
        ['FAILURE', 'CANCELLED'],
      ])
      expect(own.calls).toEqual({ running: 0, queued: 0 })
      expect(own.counts).toMatchObject({ total: 1, failures: 1 })
    }))
})

describe('fallbacks', () => {
  test('have a bulkhead of their own', () =>
    inVirtualTime({ fallbackMax: 2 }, async ({ own, pass }) => {
      const slow = { fallback: () => pass(10).then(() => 'late') }
      const codes = await Promise.all([1, 2, 3].map(() => codeOf(own.execute(fail, slow))))
      expect(codes).toEqual(['late', 'late', 'FALLBACK_FAILED'])
      expect(await codeOf(own.execute(fail, slow))).toBe('late')
    }))

  test('that answer at once hold no place: any number of them may come at one moment', () =>
    inVirtualTime({ fallbackMax: 1 }, async ({ own }) => {
      const hang = (): Promise<unknown> => own.execute<unknown>(never, { fallback: () => 'cached' })
      expect(await Promise.all([hang(), hang(), hang()])).toEqual(['cached', 'cached', 'cached'])
      own.force('forced-open')
      expect(await Promise.all([hang(), hang()])).toEqual(['cached', 'cached'])
    }))

  test('of a chain are asked in their order', async () => {
    const asked: string[] = []
    const one = breaker((_id: string): Promise<string> => fail(), {
      fallback: [
        (error, id) => {
          asked.push(`replica ${id}`)
          throw new TypeError(String(error))
        },
        (_, id) => {
          asked.push(`cache ${id}`)
          return 'cached'
        },
        () => 'never asked',
      ],
    })
    expect(await one('7')).toBe('cached')
    expect(asked).toEqual(['replica 7', 'cache 7'])
    expect(() => breaker(() => 1, { fallback: [] })).toThrow(RangeError)
  })

  test('do not count: 1,000 failures that fall back open it, and its fallbacks change nothing then', () =>
    inVirtualTime({}, async ({ own }) => {
      for (let call = 0; call < 1000; call++) await own.execute(fail, { fallback: () => 1 })
      expect(own.state).toBe('open')
      expect(own.metrics.total()).toMatchObject({
        FAILURE: 20,
        SHORT_CIRCUITED: 980,
        FALLBACK_SUCCESS: 1000,
        EXCEPTION_THROWN: 0,
      })
    }))
})

test('a queue of 30,000 whose work ends at once is emptied without a deep stack', () =>
  inVirtualTime({ bulkhead: { max: 1, queue: 30_000 } }, async ({ own }) => {
    const first = Promise.withResolvers<number>()
    const calls = [own.execute(() => first.promise)]
    for (let call = 0; call < 30_000; call++) calls.push(own.execute(() => call))
    first.resolve(0)
    expect(await Promise.all(calls)).toHaveLength(30_001)
    expect(own.metrics.total().SUCCESS).toBe(30_001)
  }))

test('a rejection counts in the Hystrix preset, and in no other', () =>
  simulate({ runs: 1 }, async ({ clock }) => {
    const states = [presets.hystrix, presets.opossum].map(async (preset) => {
      const own = new Breaker({ circuit: preset(), bulkhead: { max: 0 }, clock })
      for (let call = 0; call < 20; call++) await own.execute(() => 1).catch(quiet)
      return own.state
    })
    expect(await Promise.all(states)).toEqual(['open', 'closed'])
  }))

test('autoHalfOpen tells of the end of the wait in time, and holds a timer only while it is open', () =>
  simulate({ runs: 3 }, async ({ clock }) => {
    const own = new Breaker({
      autoHalfOpen: true,
      volumeThreshold: 1,
      sleepWindow: 100,
      timeout: false,
      clock,
    })
    const told: unknown[] = []
    own.on('stateChange', ({ to }) => told.push([to, clock.monotonic()]))
    expect(clock.pending).toBe(0)
    await own.execute(fail).catch(quiet)
    expect(clock.pending).toBe(1)
    await clock.sleep(150)
    expect(told).toEqual([
      ['open', 0],
      ['half-open', 100],
    ])
    expect(clock.pending).toBe(0)
    await own.execute(fail).catch(quiet)
    own.reset()
    expect(clock.pending).toBe(0)
    await own.execute(fail).catch(quiet)
    await own[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  }))

describe('what others throw', () => {
  test('a listener does not change the outcome; it is told of where somebody listens to errors', () =>
    inVirtualTime({}, async ({ own }) => {
      const errors: unknown[] = []
      own.on('error', ({ error }) => errors.push(error))
      own.on('execution', () => {
        throw new TypeError('listener')
      })
      expect(await own.execute(() => 1)).toBe(1)
      expect(errors).toEqual([new TypeError('listener')])
    }))

  test('a thenable that throws is a failure, one that answers twice answers once', async () => {
    const own = new Breaker()
    const odd = (then: unknown): PromiseLike<unknown> =>
      // oxlint-disable-next-line unicorn/no-thenable -- a thenable is what is tested
      Object.defineProperty(Object.create(null), 'then', { get: () => then })
    const throwing = odd(() => {
      throw broken
    })
    const twice = odd((succeed: (value: number) => void, reject: (error: unknown) => void) => {
      succeed(1)
      reject(broken)
    })
    expect(await codeOf(own.execute(() => throwing))).toBe(broken)
    expect(await codeOf(own.execute(() => twice))).toBe(1)
    expect(own.counts).toMatchObject({ total: 2, failures: 1 })
    expect(own.calls.running).toBe(0)
  })

  test('a promise whose then is not that of promises is not trusted', async () => {
    for (const timeout of [false, 1000] as const) {
      const own = new Breaker({ timeout })
      const odd = (then: () => void): Promise<number> => {
        const promise = Promise.resolve(1)
        // oxlint-disable-next-line unicorn/no-thenable -- a thenable is what is tested
        return Object.defineProperty(promise, 'then', { value: then })
      }
      const throwing = own.execute(() =>
        odd(() => {
          throw broken
        }),
      )
      expect(await codeOf(throwing)).toBe(broken)
      const unanswered = own.execute(() => odd(quiet))
      expect(unanswered).toBeInstanceOf(Promise)
      unanswered.catch(quiet)
      await own[Symbol.asyncDispose]()
    }
  })

  test('27: what is no function, no signal and no options is refused by the promise, and counts nowhere', async () => {
    const own = new Breaker()
    const junk: unknown[] = JSON.parse('[null, 5, {}, "x"]')
    for (const each of junk) {
      const calls = [
        () => Reflect.apply(own.execute, own, [each]),
        () => Reflect.apply(own.execute, own, [() => 1, { signal: each }]),
      ]
      if (typeof each !== 'object' || each === null)
        calls.push(() => Reflect.apply(own.execute, own, [() => 1, each]))
      for (const call of calls) expect(await codeOf(call())).toBe('INVALID_OPTION')
    }
    expect(own.counts.total).toBe(0)
    expect(own.calls).toEqual({ running: 0, queued: 0 })
  })
})

test.each([
  ['circuit', () => new Breaker(JSON.parse('{"circuit":{}}'))],
  ['clock', () => new Breaker(JSON.parse('{"clock":{}}'))],
  ['work', () => Reflect.apply(breaker, undefined, [5])],
  ['state', () => Reflect.apply(new Breaker().force, new Breaker(), ['x'])],
  ['event', () => Reflect.apply(new Breaker().on, new Breaker(), ['nonsense', quiet])],
  ['listener', () => Reflect.apply(new Breaker().on, new Breaker(), ['stateChange', 5])],
])('27: a RangeError names %s', (name, make) => {
  expect(make).toThrow(RangeError)
  expect(make).toThrow(name)
})

test.each(['null', '1', '{"version":2}'])('the snapshot %s is refused as one', (text) => {
  const own = new Breaker()
  expect(() => own.restore(JSON.parse(text))).toThrow(expect.objectContaining({ code: 'INVALID_SNAPSHOT' }))
  expect(own.state).toBe('closed')
})
