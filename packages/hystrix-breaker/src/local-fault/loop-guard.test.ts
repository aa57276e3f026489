import { describe, expect, test } from 'vitest'
import { Breaker } from '../breaker.ts'
import type { BreakerOptions } from '../breaker-options.ts'
import { isResilienceError } from '../errors.ts'
import type { Clock } from '../ports.ts'

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
  async turn(): Promise<void> {
    for (const [handle, { due, callback }] of this.#timers) {
      if (due > this.#now || !this.#timers.delete(handle)) continue
      callback()
    }
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
