import { expect, test } from 'vitest'
import { openZanzibar } from '../open-zanzibar.ts'
import type { Clock } from '../ports.ts'
import type { Zanzibar } from '../zanzibar.ts'

const model = `model
  schema 1.1
type user
type document
  relations
    define viewer: [user]
`

/** A clock that stands still until it is moved; its wall clock can also be stepped, which no timer notices. */
class HandClock implements Clock {
  readonly #timers = new Map<object, { readonly at: number; readonly callback: () => void }>()
  #passed = 0
  #step = 0

  now(): number {
    return this.#passed + this.#step
  }

  monotonic(): number {
    return this.#passed
  }

  get timers(): number {
    return this.#timers.size
  }

  setTimeout(callback: () => void, delay: number): object {
    // As Node does with what does not fit.
    const after = delay > 2 ** 31 - 1 ? 1 : delay
    const handle = {}
    this.#timers.set(handle, { at: this.#passed + after, callback })
    return handle
  }

  clearTimeout(handle: unknown): void {
    for (const each of this.#timers.keys()) if (each === handle) this.#timers.delete(each)
  }

  step(by: number): void {
    this.#step += by
  }

  pass(duration: number): void {
    const end = this.#passed + duration
    for (;;) {
      const [next] = [...this.#timers].toSorted(([, a], [, b]) => a.at - b.at)
      if (next === undefined || next[1].at > end) break
      this.#timers.delete(next[0])
      this.#passed = next[1].at
      next[1].callback()
    }
    this.#passed = end
  }
}

function expiring(expiresAt: number, object = 'document:1') {
  return { user: 'user:anne', relation: 'viewer', object, expiresAt }
}

/** What a promise has come to when nothing is left to be done but by the clock. */
async function settled<T>(promise: Promise<T>): Promise<T | 'pending'> {
  await new Promise((resolve) => {
    setImmediate(resolve)
  })
  return Promise.race([promise, Promise.resolve('pending' as const)])
}

async function subscribed(
  clock: HandClock,
  body: (zanzibar: Zanzibar, answers: AsyncIterator<boolean>) => Promise<void>,
): Promise<void> {
  await using zanzibar = await openZanzibar({ model, clock })
  const answers = zanzibar.subscribe('user:anne', 'viewer', 'document:1')[Symbol.asyncIterator]()
  await body(zanzibar, answers)
  await answers.return?.()
  expect(clock.timers).toBe(0)
}

test('what expires is told when it is due, without a write', async () => {
  const clock = new HandClock()
  await subscribed(clock, async (zanzibar, answers) => {
    const day = 86_400_000
    await zanzibar.write({ add: [expiring(100 * day), expiring(5, 'document:2')] })
    expect((await answers.next()).value).toBe(true)
    const next = answers.next()
    expect(await settled(next)).toBe('pending')
    clock.pass(100 * day - 1)
    expect(await settled(next)).toBe('pending')
    clock.pass(1)
    expect(await settled(next)).toEqual({ done: false, value: false })
  })
})

test('what is written meanwhile and expires sooner is told sooner', async () => {
  const clock = new HandClock()
  await subscribed(clock, async (zanzibar, answers) => {
    await zanzibar.write({ add: [expiring(100_000, 'document:2')] })
    expect((await answers.next()).value).toBe(false)
    const granted = answers.next()
    await settled(granted)
    await zanzibar.write({ add: [expiring(50)] })
    expect(await settled(granted)).toEqual({ done: false, value: true })
    const ended = answers.next()
    await settled(ended)
    clock.pass(50)
    expect(await settled(ended)).toEqual({ done: false, value: false })
  })
})

test('what expires while nobody asks for the next answer is told when somebody does', async () => {
  const clock = new HandClock()
  await subscribed(clock, async (zanzibar, answers) => {
    await zanzibar.write({ add: [expiring(50)] })
    expect((await answers.next()).value).toBe(true)
    clock.pass(50)
    expect(await settled(answers.next())).toEqual({ done: false, value: false })
  })
})

test('a wall clock that is stepped forward is noticed within a minute', async () => {
  const clock = new HandClock()
  await subscribed(clock, async (zanzibar, answers) => {
    await zanzibar.write({ add: [expiring(3_600_000)] })
    expect((await answers.next()).value).toBe(true)
    const next = answers.next()
    await settled(next)
    clock.step(3_600_000)
    clock.pass(60_000)
    expect(await settled(next)).toEqual({ done: false, value: false })
  })
})

test('a list tells what expires, each at its time', async () => {
  const clock = new HandClock()
  await using zanzibar = await openZanzibar({ model, clock })
  await zanzibar.write({ add: [expiring(200, 'document:b'), expiring(100, 'document:a')] })
  const over = new AbortController()
  const { signal } = over
  const told = zanzibar.subscribeObjects('user:anne', 'viewer', 'document', { signal })
  const lists = told[Symbol.asyncIterator]()
  expect((await lists.next()).value).toMatchObject({ added: ['document:a', 'document:b'] })
  for (const removed of ['document:a', 'document:b']) {
    const next = lists.next()
    await settled(next)
    clock.pass(100)
    expect(await settled(next)).toMatchObject({ value: { added: [], removed: [removed] } })
  }
  const last = lists.next()
  await settled(last)
  over.abort()
  expect(await last).toMatchObject({ done: true })
  expect(clock.timers).toBe(0)
})
