import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Breaker } from '../breaker.ts'
import type { BreakerOptions } from '../breaker-options.ts'
import { isResilienceError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import { LoopWatch } from './loop-watch.ts'

/** Time that can pass without its timers firing, as it does for a process that stands still. */
class Loop implements Clock {
  #now = 0
  readonly #timers = new Map<number, { readonly due: number; readonly callback: () => void }>()
  #handles = 0

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  setTimeout(callback: () => void, delay: number): number {
    this.#timers.set(++this.#handles, { due: this.#now + delay, callback })
    return this.#handles
  }

  clearTimeout(handle: unknown): void {
    if (typeof handle === 'number') this.#timers.delete(handle)
  }

  get pending(): number {
    return this.#timers.size
  }

  blocked(ms: number): void {
    this.#now += ms
  }

  /** Timers that are due fire, then promises settle. */
  fire(): void {
    for (const [handle, { due, callback }] of this.#timers) {
      if (due > this.#now || !this.#timers.delete(handle)) continue
      callback()
    }
  }

  async turn(): Promise<void> {
    this.fire()
    await new Promise((resolve) => setImmediate(resolve))
  }

  async passes(ms: number): Promise<void> {
    for (let each = 0; each < ms; each++) {
      this.#now++
      await this.turn()
    }
  }
}

function guarded(options: BreakerOptions = {}): { own: Breaker; loop: Loop; lags: unknown[] } {
  const loop = new Loop()
  const own = new Breaker({ volumeThreshold: 2, timeout: 1000, clock: loop, ...options })
  const lags: unknown[] = []
  own.on('lag', ({ lag, pending }) => lags.push({ lag, pending }))
  return { own, loop, lags }
}

function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => value,
    (error: unknown) => (isResilienceError(error) ? error.code : error),
  )
}

const hang = (): Promise<never> => new Promise<never>(() => {})

describe('19: a loop that was blocked for 5 s', () => {
  test('leaves the circuit closed: what was to be read is read, the rest times out uncounted', async () => {
    const { own, loop, lags } = guarded()
    const answer = Promise.withResolvers<string>()
    const read = codeOf(own.execute(() => answer.promise))
    const hanging = [codeOf(own.execute(hang)), codeOf(own.execute(hang)), codeOf(own.execute(hang))]
    await loop.passes(10)
    loop.blocked(5000)
    await loop.turn()
    expect(lags).toEqual([{ lag: 4010, pending: 4 }])
    answer.resolve('read after all')
    expect(await read).toBe('read after all')
    await loop.passes(250)
    expect(await Promise.all(hanging)).toEqual(['TIMEOUT', 'TIMEOUT', 'TIMEOUT'])
    expect(own.state).toBe('closed')
    expect(own.counts).toEqual({ total: 1, failures: 0, slow: 0 })
    expect(own.metrics.total()).toMatchObject({ SUCCESS: 1, TIMEOUT: 3 })
  })

  test('opens it where the guard is off', async () => {
    const { own, loop, lags } = guarded({ lagTolerance: false })
    const hanging = [codeOf(own.execute(hang)), codeOf(own.execute(hang))]
    loop.blocked(5000)
    await loop.turn()
    expect(await Promise.all(hanging)).toEqual(['TIMEOUT', 'TIMEOUT'])
    expect(own.state).toBe('open')
    expect(lags).toEqual([])
  })

  test('says nothing of calls that begin after it: their time limits count', async () => {
    const { own, loop } = guarded()
    const before = codeOf(own.execute(hang))
    loop.blocked(5000)
    await loop.turn()
    const after = [codeOf(own.execute(hang)), codeOf(own.execute(hang))]
    await loop.passes(1000)
    expect(await Promise.all([before, ...after])).toEqual(['TIMEOUT', 'TIMEOUT', 'TIMEOUT'])
    expect(own.state).toBe('open')
  })

  test('a loop that is blocked again and again puts a time limit off only once', async () => {
    const { own, loop, lags } = guarded()
    const call = codeOf(own.execute(hang))
    loop.blocked(5000)
    await loop.turn()
    loop.blocked(5000)
    await loop.turn()
    expect(await call).toBe('TIMEOUT')
    expect(own.counts.total).toBe(0)
    expect(lags).toHaveLength(2)
  })
})

describe('a loop that was blocked makes no call slow', () => {
  const slow = { over: 800, rate: 0.5 }

  test.each([
    ['read before the timers', false],
    ['read after them', true],
  ])('whose answer had come meanwhile, and is %s', async (_, timersFirst) => {
    const { own, loop, lags } = guarded({ timeout: false, slow })
    const answer = Promise.withResolvers<number>()
    const calls = [own.execute(() => answer.promise), own.execute(() => answer.promise)]
    await loop.passes(10)
    loop.blocked(5000)
    if (timersFirst) await loop.turn()
    answer.resolve(1)
    await Promise.all(calls)
    await loop.turn()
    expect(own.counts).toEqual({ total: 2, failures: 0, slow: 0 })
    expect(own.state).toBe('closed')
    expect(lags).toEqual([{ lag: 4760, pending: timersFirst ? 2 : 0 }])
    await loop.passes(250)
    expect(loop.pending).toBe(0)
  })

  test('but where the guard is off', async () => {
    const { own, loop } = guarded({ timeout: false, slow, lagTolerance: false })
    const answer = Promise.withResolvers<number>()
    const calls = [own.execute(() => answer.promise), own.execute(() => answer.promise)]
    loop.blocked(5000)
    answer.resolve(1)
    await Promise.all(calls)
    expect(own.state).toBe('open')
    expect(loop.pending).toBe(0)
  })

  test('but one that is slow apart from the stall, or after it, is slow', async () => {
    const { own, loop } = guarded({ timeout: false, slow, volumeThreshold: 10 })
    const answer = Promise.withResolvers<number>()
    const call = own.execute(() => answer.promise)
    loop.blocked(5000)
    await loop.turn()
    const later = own.execute(() => answer.promise)
    // As long again is not known, in which answers are read.
    await loop.passes(250 + 800)
    const latest = own.execute(() => answer.promise)
    await loop.passes(1)
    answer.resolve(1)
    await Promise.all([call, later, latest])
    expect(own.counts).toEqual({ total: 3, failures: 0, slow: 2 })
  })

  test('and is told of once, where a time limit sees it as well', async () => {
    const { own, loop, lags } = guarded({ slow })
    const call = codeOf(own.execute(hang))
    loop.blocked(5000)
    await loop.turn()
    await loop.passes(250)
    expect(await call).toBe('TIMEOUT')
    expect(lags).toHaveLength(1)
  })
})

describe('a loop that was blocked ends no lease', () => {
  async function probing(options: BreakerOptions): Promise<{
    own: Breaker
    loop: Loop
    answer: PromiseWithResolvers<number>
    probe: Promise<unknown>
  }> {
    const { own, loop } = guarded({
      timeout: false,
      volumeThreshold: 1,
      sleepWindow: 100,
      probeTimeout: 1000,
      ...options,
    })
    await codeOf(own.execute(() => Promise.reject(new Error('broken'))))
    await loop.passes(100)
    const answer = Promise.withResolvers<number>()
    const probe = codeOf(own.execute(() => answer.promise))
    await loop.passes(900)
    loop.blocked(5000)
    return { own, loop, answer, probe }
  }

  test.each([
    ['read before the timers', false],
    ['read after them', true],
  ])('of a probe whose answer had come meanwhile, and is %s', async (_, timersFirst) => {
    const { own, loop, answer, probe } = await probing({})
    if (timersFirst) {
      await loop.turn()
      expect(await codeOf(own.execute(() => 1))).toBe('CIRCUIT_OPEN')
    }
    expect(own.state).toBe('half-open')
    answer.resolve(1)
    expect(await probe).toBe(1)
    expect(own.state).toBe('closed')
    expect(loop.pending).toBe(0)
  })

  test('of one that hangs, which ends with what was left of it', async () => {
    const { own, loop } = await probing({})
    const changes: unknown[] = []
    own.on('stateChange', ({ to, at }) => changes.push([to, at]))
    await loop.turn()
    // 250 ms to read, and 250 ms since the beat before.
    await loop.passes(499)
    expect(own.state).toBe('half-open')
    await loop.passes(1)
    expect(own.state).toBe('open')
    expect(changes).toEqual([['open', 6500]])
  })

  test('but where the guard is off', async () => {
    const { own, answer, probe } = await probing({ lagTolerance: false })
    expect(own.state).toBe('open')
    answer.resolve(1)
    expect(await probe).toBe(1)
    expect(own.state).toBe('open')
  })
})

test('what was blocked is within two beats of each stall of what is told', () => {
  const tolerance = 10
  const step = fc.record({
    alive: fc.integer({ min: 1, max: 60 }),
    blocked: fc.integer({ min: 20, max: 90 }),
  })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 12, size: 'max' }),
      fc.nat(400),
      fc.nat(30),
      (steps, starts, after) => {
        const loop = new Loop()
        const watch = new LoopWatch({
          clock: loop,
          tolerance,
          horizon: 1000,
          pending: () => 1,
          observer: { lagged: () => {} },
        })
        watch.begin(0)
        const stalls: { readonly from: number; readonly to: number }[] = []
        const passes = (ms: number): void => {
          for (let each = 0; each < ms; each++) {
            loop.blocked(1)
            loop.fire()
          }
        }
        for (const { alive, blocked } of steps) {
          passes(alive)
          const from = loop.now()
          loop.blocked(blocked)
          stalls.push({ from, to: loop.now() })
          loop.fire()
        }
        passes(after)
        const now = loop.now()
        const start = Math.min(starts, now)
        const seen = stalls.filter(({ to }) => to > start)
        const blocked = seen.reduce((sum, { from, to }) => sum + to - Math.max(from, start), 0)
        const told = watch.between(start, now)
        expect(told).toBeLessThanOrEqual(now - start)
        // A stall of less than two beats may go unnoticed.
        const noticed = seen.filter(({ from, to }) => to - from >= 2 * tolerance)
        expect(told).toBeGreaterThanOrEqual(blocked - (seen.length - noticed.length) * 2 * tolerance)
        expect(told).toBeLessThanOrEqual(blocked + (seen.length + 1) * 2 * tolerance)
      },
    ),
  )
})

test('a timer that is a little late is no fault of ours', async () => {
  const { own, loop, lags } = guarded()
  const hanging = [codeOf(own.execute(hang)), codeOf(own.execute(hang))]
  loop.blocked(1249)
  await loop.turn()
  expect(await Promise.all(hanging)).toEqual(['TIMEOUT', 'TIMEOUT'])
  expect(own.state).toBe('open')
  expect(lags).toEqual([])
})

test('a breaker that is idle has no timer', async () => {
  const { own, loop } = guarded()
  expect(loop.pending).toBe(0)
  await own.execute(() => 1)
  await loop.passes(1001)
  expect(loop.pending).toBe(0)
  expect(await codeOf(own.execute(() => 2))).toBe(2)
})
