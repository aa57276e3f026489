import { spawnSync } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { isResilienceError } from '@loadbearing/hystrix-breaker'
import DefaultExport, { CircuitBreaker, type CircuitBreakerError } from '@loadbearing/hystrix-breaker/opossum'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest'
import { Opossum } from './opossum-peer.ts'
import { program, run } from './opossum-programs.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})

afterEach(() => {
  vi.useRealTimers()
})

const hangs = (): Promise<never> => new Promise(() => {})

// Not an object literal, which is most often a mistake.
class Thenable {
  readonly #end: (done: (value: number) => void) => void

  constructor(end: (done: (value: number) => void) => void) {
    this.#end = end
  }

  // oxlint-disable-next-line unicorn/no-thenable -- what a thenable does is what is tested
  then(done: (value: number) => void): void {
    this.#end(done)
  }
}

/** What a script prints in a process of its own, where errors that nobody catches are printed as `thrown …`. */
function printed(script: string): string[] {
  const code = `
    const CircuitBreaker = require('@loadbearing/hystrix-breaker/opossum')
    process.on('uncaughtException', (error) => console.log('thrown', error.message))
    const failing = (text) => () => { throw new Error(text) }
    ${script}`
  const { stdout } = spawnSync(process.execPath, ['--conditions=@loadbearing/source', '-e', code], {
    cwd: join(import.meta.dirname, '../..'),
    encoding: 'utf8',
  })
  return stdout.trimEnd().split('\n')
}

describe('an action', () => {
  test.each<[string, () => unknown, unknown]>([
    ['returns nothing', () => undefined, undefined],
    ['returns null', () => null, null],
    ['returns a thenable', () => new Thenable((done) => done(7)), 7],
    ['returns a promise', async () => 7, 7],
  ])('%s', async (_, action, answer) => {
    const breaker = new CircuitBreaker(action)
    expect(await breaker.fire()).toBe(answer)
    expect(breaker.stats).toMatchObject({ fires: 1, successes: 1, failures: 0 })
    breaker.disable()
    expect(await breaker.fire()).toBe(answer)
  })

  const frozen = Object.freeze(new Error('frozen'))
  test.each<[string, () => unknown, unknown]>([
    ['rejects with undefined', () => Promise.reject(undefined), undefined],
    [
      'throws a text',
      () => {
        throw 'text'
      },
      'text',
    ],
    ['rejects with a frozen error', () => Promise.reject(frozen), frozen],
    [
      'returns a thenable that throws',
      () =>
        new Thenable(() => {
          throw frozen
        }),
      frozen,
    ],
  ])('%s', async (_, action, error) => {
    const breaker = new CircuitBreaker(action)
    const seen = vi.fn<(error: unknown) => void>()
    breaker.on('failure', seen)
    await expect(Promise.allSettled([breaker.fire()])).resolves.toEqual([
      { status: 'rejected', reason: error },
    ])
    expect(seen).toHaveBeenCalledExactlyOnceWith(error, 0, [])
    expect(CircuitBreaker.isOurError(error)).toBe(false)
    breaker.disable()
    await expect(Promise.allSettled([breaker.fire()])).resolves.toEqual([
      { status: 'rejected', reason: error },
    ])
  })

  test('that is no function is the answer', async () => {
    expect(await Reflect.construct(CircuitBreaker, ['text']).fire()).toBe('text')
    expect(() => Reflect.construct(CircuitBreaker, [])).toThrow(TypeError)
  })
})

describe('what others throw', () => {
  test('a listener changes no outcome', () => {
    const script = `
      const breaker = new CircuitBreaker(async (x) => x, { resetTimeout: 1 })
      for (const name of ['fire', 'success', 'open', 'halfOpen', 'close']) breaker.on(name, failing(name))
      breaker.on('halfOpen', () => console.log('not reached'))
      breaker.fire(1).then((answer) => {
        console.log(answer, breaker.stats.failures)
        breaker.open()
        setTimeout(() => breaker.fire(2).then((answer) => console.log(answer, breaker.closed)), 10)
      })`
    const thrown = ['fire', 'success', 'open', 'halfOpen', 'fire', 'close', 'success'].map(
      (name) => `thrown ${name}`,
    )
    const lines = printed(script)
    expect(lines.filter((line) => line.startsWith('thrown'))).toEqual(thrown)
    expect(lines.filter((line) => !line.startsWith('thrown'))).toEqual(['1 0', '2 true'])
  })

  test('an error filter: the error counts, and its caller has it', () => {
    const script = `
      const breaker = new CircuitBreaker(failing('down'), { errorFilter: failing('filter') })
      breaker.fire().catch((error) => console.log(error.message, breaker.opened))`
    expect(printed(script).toSorted()).toEqual(['down true', 'thrown filter'])
  })

  test('the key of a call that has none: the call is rejected, and nothing failed', async () => {
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = cyclic
    const breaker = new CircuitBreaker(async (value: unknown) => typeof value, { cache: true })
    await expect(breaker.fire(cyclic)).rejects.toThrow(TypeError)
    expect(await breaker.fire('__proto__')).toBe('string')
    expect(breaker.stats).toMatchObject({ failures: 0, cacheMisses: 1 })
  })

  test('a cache that cannot keep: the caller has its answer', () => {
    const script = `
      const cacheTransport = { get: () => undefined, set: failing('full'), flush: () => {} }
      const breaker = new CircuitBreaker(async () => 1, { cache: true, cacheTransport })
      breaker.fire().then((answer) => console.log(answer, breaker.stats.successes, breaker.stats.failures))`
    expect(printed(script).toSorted()).toEqual(['1 1 0', 'thrown full'])
  })

  test('a health check, also synchronously: the circuit opens', async () => {
    const breaker = new CircuitBreaker(async () => 1)
    const failed = vi.fn<(error: Error) => void>()
    breaker.on('healthCheckFailed', failed)
    breaker.healthCheck(() => {
      throw new Error('ill')
    }, 1000)
    await vi.advanceTimersByTimeAsync(0)
    expect(breaker.opened).toBe(true)
    await vi.advanceTimersByTimeAsync(2000)
    expect(failed).toHaveBeenCalledTimes(3)
    breaker.shutdown()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('fallback', () => {
  test('may fire the same breaker', async () => {
    const breaker: CircuitBreaker<[number], number> = new CircuitBreaker(
      async (n: number) => {
        if (n > 0) throw new Error('down')
        return n
      },
      { errorThresholdPercentage: 100, capacity: 1 },
    )
    breaker.fallback((n: number) => breaker.fire(n - 1))
    expect(await breaker.fire(3)).toBe(0)
  })

  test('is a function or a breaker, or none again', async () => {
    const breaker = new CircuitBreaker(() => Promise.reject(new Error('down')))
    expect(() => Reflect.apply(breaker.fallback, breaker, ['text'])).toThrow(RangeError)
    breaker.fallback(new CircuitBreaker(async () => 'other'))
    expect(await breaker.fire()).toBe('other')
    breaker.fallback(null)
    await expect(breaker.fire()).rejects.toMatchObject({ code: 'EOPENBREAKER' })
  })
})

describe('options', () => {
  test.each<[string, unknown]>([
    ['timeout', Number.NaN],
    ['timeout', 2 ** 31],
    ['resetTimeout', -1],
    ['resetTimeout', '30s'],
    ['errorThresholdPercentage', Infinity],
    ['rollingCountTimeout', {}],
    ['rollingCountBuckets', 2.5],
    ['capacity', '5'],
    ['capacity', 0],
    ['volumeThreshold', Number.NaN],
    ['errorFilter', 'text'],
    ['cacheGetKey', 7],
    ['cacheTTL', -1],
    ['coalesceTTL', Number.NaN],
    ['stats.fires', 'many'],
  ])('%s of %s is refused by name', (name, value) => {
    const options = name === 'stats.fires' ? { status: { fires: value } } : { [name]: value }
    const construct = (): unknown => Reflect.construct(CircuitBreaker, [hangs, options])
    expect(construct).toThrow(RangeError)
    expect(construct).toThrow(name)
    try {
      construct()
    } catch (error) {
      expect(isResilienceError(error)).toBe(true)
    }
  })

  test('are not changed, and those of a call may be while it runs', async () => {
    const options = Object.freeze({ timeout: 100 })
    const breaker = new CircuitBreaker(hangs, options)
    breaker.options.timeout = 10
    const call = breaker.fire().catch((error: Error) => error.message)
    await vi.advanceTimersByTimeAsync(10)
    expect(await call).toBe('Timed out after 10ms')
  })
})

describe('timers', () => {
  test('an idle breaker has none, a snapshot comes while somebody listens', async () => {
    const breaker = new CircuitBreaker(async () => 1)
    expect(vi.getTimerCount()).toBe(0)
    const first = vi.fn<(stats: CircuitBreaker.Stats) => void>()
    breaker.status.on('snapshot', first)
    await breaker.fire()
    await vi.advanceTimersByTimeAsync(2000)
    expect(first).toHaveBeenCalledTimes(2)
    expect(first.mock.lastCall?.[0]).toMatchObject({ fires: 1, successes: 1 })
    breaker.status.removeAllListeners()
    await vi.advanceTimersByTimeAsync(1000)
    expect(vi.getTimerCount()).toBe(0)
    breaker.status.once('snapshot', first)
    await vi.advanceTimersByTimeAsync(2000)
    expect(first).toHaveBeenCalledTimes(3)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('shutdown leaves none, of an open breaker as well', async () => {
    await using breaker = new CircuitBreaker(async () => 1, { allowWarmUp: true })
    breaker.status.on('snapshot', () => {})
    breaker.healthCheck(async () => {})
    breaker.open()
    expect(vi.getTimerCount()).toBe(3)
    breaker.shutdown()
    expect(vi.getTimerCount()).toBe(0)
    breaker.open()
    breaker.close()
    breaker.healthCheck(async () => {})
    expect(vi.getTimerCount()).toBe(0)
    await expect(breaker.fire()).rejects.toMatchObject({ code: 'ESHUTDOWN' })
  })

  test('the wall clock changes nothing', async () => {
    const breaker = new CircuitBreaker(async () => 1, { resetTimeout: 1000 })
    breaker.open()
    vi.setSystemTime(Date.now() + 3_600_000)
    expect(breaker.opened).toBe(true)
    vi.setSystemTime(Date.now() - 7_200_000)
    await vi.advanceTimersByTimeAsync(1000)
    expect(breaker.halfOpen).toBe(true)
  })

  test('an emitter may turn the window in place of time', () => {
    const rotateBucketController = new EventEmitter()
    const breaker = new CircuitBreaker(async () => 1, { rotateBucketController, rollingCountBuckets: 2 })
    breaker.status.increment('fires')
    vi.advanceTimersByTime(60_000)
    rotateBucketController.emit('rotate')
    expect(breaker.status.window.map(({ fires }) => fires)).toEqual([0, 1])
    rotateBucketController.emit('rotate')
    expect(breaker.stats.fires).toBe(0)
  })
})

describe('abort signals', () => {
  const withSignals = (): {
    breaker: CircuitBreaker<[AbortSignal?], never>
    inside: (AbortSignal | undefined)[]
  } => {
    const inside: (AbortSignal | undefined)[] = []
    const breaker = new CircuitBreaker<[AbortSignal?], never>(
      async () => {
        await Promise.resolve()
        inside.push(breaker.getSignal())
        return hangs()
      },
      { timeout: 100, autoRenewAbortController: true },
    )
    return { breaker, inside }
  }

  test('are of one call: that asked for before it, or in it, also after an await', async () => {
    const { breaker, inside } = withSignals()
    const before = breaker.getSignal()
    const first = breaker.fire(before).catch(() => {})
    await vi.advanceTimersByTimeAsync(50)
    const second = breaker.fire(breaker.getSignal()).catch(() => {})
    await vi.advanceTimersByTimeAsync(50)
    await first
    expect(inside[0]).toBe(before)
    expect(inside.map((signal) => signal?.aborted)).toEqual([true, false])
    await vi.advanceTimersByTimeAsync(50)
    await second
    expect(inside.map((signal) => signal?.aborted)).toEqual([true, true])
  })

  test('the controller aborts all of them, and is renewed', async () => {
    const { breaker, inside } = withSignals()
    const calls = [breaker.fire(), breaker.fire()].map((call) => call.catch(() => {}))
    await vi.advanceTimersByTimeAsync(0)
    const controller = breaker.getAbortController()
    controller?.abort()
    expect(inside.map((signal) => signal?.aborted)).toEqual([true, true])
    expect(breaker.getSignal()?.aborted).toBe(false)
    expect(breaker.getAbortController()).not.toBe(controller)
    await vi.advanceTimersByTimeAsync(100)
    await Promise.all(calls)
  })

  test('a time limit of a call that is alone aborts the controller, which is new when the circuit half-opens', async () => {
    const { breaker } = withSignals()
    const controller = breaker.getAbortController()
    const call = breaker.fire().catch(() => {})
    await vi.advanceTimersByTimeAsync(100)
    await call
    expect(controller?.signal?.aborted).toBe(true)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(breaker.halfOpen).toBe(true)
    expect(breaker.getAbortController()).not.toBe(controller)
    expect(breaker.getSignal()?.aborted).toBe(false)
  })

  test('a controller that is given without autoRenewAbortController is shared, as asked for', async () => {
    const abortController = new AbortController()
    const breaker = new CircuitBreaker(hangs, { timeout: 100, abortController })
    expect(breaker.getSignal()).toBe(abortController.signal)
    const call = breaker.fire().catch(() => {})
    await vi.advanceTimersByTimeAsync(100)
    await call
    expect(abortController.signal.aborted).toBe(true)
    expect(new CircuitBreaker(hangs).getSignal()).toBeUndefined()
  })
})

test('a breaker that opened goes on in another process, by way of JSON', async () => {
  const breaker = new CircuitBreaker(() => Promise.reject(new Error('down')), {
    resetTimeout: 1000,
    name: 'users',
  })
  await breaker.fire().catch(() => {})
  await vi.advanceTimersByTimeAsync(300)
  const { state, status } = JSON.parse(JSON.stringify(breaker))
  expect(state).toEqual({
    name: 'users',
    enabled: true,
    closed: false,
    open: true,
    halfOpen: false,
    warmUp: false,
    shutdown: false,
    lastTimerAt: Date.now() - 300,
  })
  const other = new CircuitBreaker(async () => 1, { resetTimeout: 1000, state, status })
  expect(other.opened).toBe(true)
  expect(other.stats).toMatchObject({ fires: 1, failures: 1, latencyTimes: [0] })
  expect(other.toJSON().state.lastTimerAt).toBe(state.lastTimerAt)
  await vi.advanceTimersByTimeAsync(699)
  expect(other.opened).toBe(true)
  await vi.advanceTimersByTimeAsync(1)
  expect(other.halfOpen).toBe(true)
  expect(await other.fire()).toBe(1)
  expect(other.closed).toBe(true)
})

test('whatever is called and whenever: one state, one probe, every call answered, late results without effect', async () => {
  vi.useRealTimers()
  await fc.assert(
    fc.asyncProperty(program, async (each) => {
      const seen = await run(CircuitBreaker, each, ({ closed, opened, halfOpen, pendingClose }) => {
        expect([closed, opened, halfOpen].filter(Boolean)).toHaveLength(1)
        if (pendingClose) expect(halfOpen).toBe(true)
      })
      const fired = seen.filter(({ what }) => what === 'fire').map(({ call }) => call)
      const answered = seen.filter(({ what }) => what === 'resolved' || what === 'rejected')
      expect(answered.map(({ call }) => call).toSorted(byNumber)).toEqual(fired.toSorted(byNumber))
      expect(seen.at(-1)?.detail).toEqual({ places: each.options.capacity, timers: 0 })
      let transitions = 0
      const admitted = new Map<number | undefined, number>()
      for (const [index, { what, call }] of seen.entries()) {
        const [before, after] = [seen[index - 1], seen[index + 1]]
        if (what === 'fire') admitted.set(call, transitions)
        if (what === 'open' && before?.what === 'failure') expect(admitted.get(before.call)).toBe(transitions)
        if (what === 'close' && after?.what === 'success') expect(admitted.get(after.call)).toBe(transitions)
        if (what === 'open' || what === 'close' || what === 'halfOpen') transitions++
      }
    }),
    { numRuns: 300 },
  )
})

function byNumber(a: number | undefined, b: number | undefined): number {
  return (a ?? -1) - (b ?? -1)
}

test('names its events as opossum does, for plugins that listen to them all', () => {
  const names = [CircuitBreaker, Opossum].map((Breaker) => {
    const breaker = new Breaker(hangs)
    breaker.on('halfOpen', () => {})
    const alive = breaker.eventNames()
    breaker.shutdown()
    return [alive, breaker.eventNames()]
  })
  expect(names[0]).toEqual(names[1])
})

test('`require` gives the class', () => {
  const script =
    'new CircuitBreaker(async (x) => x + 1).fire(1).then((x) => console.log(CircuitBreaker.name, x))'
  expect(printed(script)).toEqual(['CircuitBreaker 2'])
  expect(DefaultExport).toBe(CircuitBreaker)
})

test('its types are those that users of @types/opossum know', () => {
  const options: CircuitBreaker.Options<[id: string]> = {
    errorFilter: (error: Error) => error.message === '',
  }
  const breaker = new CircuitBreaker(async (id: string) => id.length, options)
  expectTypeOf(breaker.fire).toEqualTypeOf<(id: string) => Promise<number>>()
  expectTypeOf(breaker.status).toEqualTypeOf<CircuitBreaker.Status>()
  expectTypeOf(breaker.toJSON().state).toEqualTypeOf<CircuitBreaker.State>()
  breaker.fallback((id, error) => expectTypeOf([id, error]).toEqualTypeOf<(string | Error)[]>())
  breaker.fallback((_: unknown, error: TypeError) => error.message)
  breaker.on('success', (result, latencyMs) => expectTypeOf([result, latencyMs]).toEqualTypeOf<number[]>())
  breaker.on('failure', (error, _, args) => {
    expectTypeOf(error).toEqualTypeOf<Error>()
    expectTypeOf(args).toEqualTypeOf<[id: string]>()
  })
  expectTypeOf<CircuitBreakerError['code']>().toEqualTypeOf<
    'EOPENBREAKER' | 'ETIMEDOUT' | 'ESEMLOCKED' | 'ESHUTDOWN'
  >()
})
