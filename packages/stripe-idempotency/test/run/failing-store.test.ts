import { type IdempotencyStore, memoryStore } from '@loadbearing/stripe-idempotency'
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../virtual-clock.ts'
import { counted, minute, outcome, request, world } from './world.ts'

describe('a store that fails', () => {
  /** Fails those calls of a method that `fails` names, before or after they had their effect. */
  function faulty(
    clock: VirtualClock,
    method: 'claim' | 'complete' | 'renew',
    fails: (call: number) => 'before' | 'after' | false,
  ): IdempotencyStore {
    const store = memoryStore({ clock })
    const whole: IdempotencyStore[typeof method] = store[method].bind(store) as never
    let calls = 0
    const replacement = async (...args: readonly unknown[]): Promise<unknown> => {
      const when = fails(calls++)
      if (when === 'before') throw new Error('connection refused')
      const answer: unknown = await Reflect.apply(whole, store, args)
      if (when === 'after') throw new Error('connection reset')
      return answer
    }
    return new Proxy(store, {
      get: (target, name) => {
        if (name === method) return replacement
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  test('nothing is executed where a key cannot be claimed', async () => {
    const clock = new VirtualClock()
    const { idempotency } = world({ clock, store: faulty(clock, 'claim', () => 'before') })
    const { work, count } = counted()
    expect(await outcome(idempotency.run(request, work))).toBe('store_unavailable')
    expect(count()).toBe(0)
  })

  test('a claim that stood and was not heard of is let go, long before its lease ends', async () => {
    const clock = new VirtualClock()
    const { idempotency } = world({ clock, store: faulty(clock, 'claim', (call) => call === 0 && 'after') })
    const { work, count } = counted()
    expect(await outcome(idempotency.run(request, work))).toBe('store_unavailable')
    let now = false
    clock.setTimeout(() => (now = true), 1000)
    await clock.run(() => now)
    expect(await outcome(idempotency.run(request, work))).toBe('executed "done"')
    expect(count()).toBe(1)
  })

  test.each(['before', 'after'] as const)(
    'a completion that fails %s its effect is made all the same',
    async (when) => {
      const clock = new VirtualClock()
      const { idempotency, other } = world({
        clock,
        store: faulty(clock, 'complete', (call) => call < 3 && when),
      })
      const { work, count } = counted()
      const outcomes: string[] = []
      void outcome(idempotency.run(request, work)).then((each) => outcomes.push(each))
      await clock.run(() => outcomes.length === 1)
      expect(outcomes).toEqual(['executed "done"'])
      expect(await outcome(other.run(request, work))).toBe('replayed "done"')
      expect(count()).toBe(1)
    },
  )

  test('where it is gone for good the answer is true, and the record uncertain', async () => {
    const clock = new VirtualClock()
    const { idempotency, other } = world({ clock, store: faulty(clock, 'complete', () => 'before') })
    const { work, count } = counted()
    const outcomes: string[] = []
    void outcome(idempotency.run(request, work)).then((each) => outcomes.push(each))
    await clock.run(() => outcomes.length === 1)
    expect(outcomes).toEqual(['executed "done"'])
    let now = false
    clock.setTimeout(() => (now = true), 2 * minute)
    await clock.run(() => now)
    expect(await outcome(other.run(request, work))).toBe('uncertain')
    expect(count()).toBe(1)
  })

  test('at its capacity it refuses new keys, and keeps those that it has', async () => {
    const clock = new VirtualClock()
    const { idempotency } = world({ clock, store: memoryStore({ clock, capacity: 2 }) })
    const { work } = counted()
    const run = (key: string): Promise<string> => outcome(idempotency.run({ ...request, key }, work))
    expect([await run('a'), await run('b'), await run('c'), await run('a'), await run('b')]).toEqual([
      'executed "done"',
      'executed "done"',
      'store_unavailable',
      'replayed "done"',
      'replayed "done"',
    ])
  })
})
