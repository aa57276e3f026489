import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { word64 } from '../hash/word64.ts'
import { type BoundedLoad, capacity, envoyBound, envoyWalk, withinBound } from './bounded-load.ts'

function load(active: readonly number[], factor: number, weights?: readonly number[]): BoundedLoad {
  const parts = weights ?? active.map(() => 1)
  const all = parts.reduce((sum, part) => sum + part, 0)
  return {
    factor,
    total: active.reduce((sum, count) => sum + count, 0),
    active,
    weights: parts.map((part) => part / all),
  }
}

const hosts = fc
  .array(fc.record({ active: fc.nat(30), weight: fc.integer({ min: 1, max: 20 }) }), {
    minLength: 1,
    maxLength: 20,
  })
  .map((list) => ({ active: list.map(({ active }) => active), weights: list.map(({ weight }) => weight) }))
const factors = fc.double({ min: 1, max: 3, noNaN: true })

describe('native', () => {
  test('the capacities hold all requests and one more', () => {
    fc.assert(
      fc.property(hosts, factors, ({ active, weights }, factor) => {
        const given = load(active, factor, weights)
        const all = active.reduce((sum, _, host) => sum + capacity(given, host), 0)
        expect(all).toBeGreaterThanOrEqual(given.total + 1)
      }),
    )
  })

  test('the first of the walk that has room; over all hosts there is always one', () => {
    fc.assert(
      fc.property(hosts, factors, fc.nat(), ({ active, weights }, factor, turn) => {
        const given = load(active, factor, weights)
        const walk = active.map((_, at) => (at + turn) % active.length)
        const chosen = withinBound(given, walk)
        const expected = walk.find((host) => (active[host] ?? 0) < capacity(given, host))
        expect(expected).toBeDefined()
        expect(chosen).toBe(expected)
      }),
    )
  })

  test('where none has room, the least loaded for its capacity; undefined only for no hosts', () => {
    const full = load([9, 8, 9], 1)
    expect(withinBound({ ...full, total: 0 }, [0, 1, 2])).toBe(1)
    expect(withinBound(full, [])).toBeUndefined()
  })

  test('reads no further than the answer', () => {
    function* walk(): Generator<number, void, undefined> {
      yield 1
      throw new Error('read on')
    }
    expect(withinBound(load([3, 0, 0], 1.25), walk())).toBe(1)
  })

  test('1,000 requests, half of them for one host, keep every host within 1.25 of the average', () => {
    const count = 20
    const active = Array.from({ length: count }, () => 0)
    for (let request = 1; request <= 1000; request++) {
      // Every other request is for the first host.
      const primary = request % 2 === 0 ? 0 : request % count
      const walk = active.map((_, at) => (primary + at) % count)
      const host = withinBound(load(active, 1.25), walk)
      if (host !== undefined) active[host] = (active[host] ?? 0) + 1
    }
    expect(Math.max(...active)).toBeLessThanOrEqual(Math.ceil(1.25 * (1000 / count)))
  })
})

describe('envoy', () => {
  // envoyproxy/envoy, bounded_load_hlb_test.cc: the sequences that its comments give.
  test.each([
    [2, [2, 1, 0, 4, 3]],
    [6, [4, 0, 2, 3, 1]],
    [7, [0, 1, 4, 3, 2]],
  ])('the walk of seed %i over five hosts', (seed, order) => {
    expect(envoyWalk(seed, 5)).toEqual(order)
  })

  test('a walk on which five draws are rejected is that of std::mt19937', () => {
    // Printed by a program of libstdc++: the same shuffle by std::mt19937(12345), and this sum of its order.
    const order = envoyWalk(12_345, 300_000)
    const sum = order.reduce((rest, host) => (rest * 31 + host) % 1_000_000_007, 0)
    expect([...order.slice(0, 3), order.at(-1), sum]).toEqual([278_895, 267_057, 94_918, 106_720, 97_778_738])
  })

  test('a walk visits every host once, for any seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.nat(200), (seed, count) => {
        expect(envoyWalk(seed, count).toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: count }, (_, host) => host),
        )
      }),
    )
  })

  test('every order of three hosts comes about as often as the others', () => {
    const found = new Map<string, number>()
    for (let seed = 0; seed < 6000; seed++) {
      const order = envoyWalk(seed, 3).join()
      found.set(order, (found.get(order) ?? 0) + 1)
    }
    expect(found.size).toBe(6)
    // Five sigma of a binomial of 6,000 draws with p = 1/6.
    for (const count of found.values()) expect(Math.abs(count - 1000)).toBeLessThan(145)
  })

  const word = (hash: number): Uint32Array => word64(BigInt(hash))

  test('bounded_load_hlb_test.cc ActualHostOverloaded: two on host 2 send hash 2 to host 1', () => {
    // Its factor of 1 percent leaves every host one slot.
    const weights = Array.from({ length: 5 }, () => 0.2)
    expect(envoyBound({ factor: 0.01, total: 0, active: [0, 0, 0, 0, 0], weights }, 2, word(2))).toBe(2)
    expect(envoyBound({ factor: 0.01, total: 2, active: [0, 0, 2, 0, 0], weights }, 2, word(2))).toBe(1)
  })

  // Of the other cases of that file: who is overloaded, and how much, is set so that one slot each makes it so.
  test.each([
    ['OneHostOverloaded', 2, 2, [1, 1, 2, 1, 1], 1],
    ['MultipleHostOverloaded', 2, 2, [2, 3, 4, 1, 1], 4],
    ['MultipleHashSameHostOverloaded, hash 6', 6, 3, [1, 1, 1, 2, 1], 4],
    ['MultipleHashSameHostOverloaded, hash 7', 7, 3, [1, 1, 1, 2, 1], 0],
    ['AllHostsOverloaded', 0, 0, [3, 2, 4], 1],
    ['and a host with all slots taken is not overloaded', 2, 2, [0, 1, 2, 0, 0], 1],
  ])('bounded_load_hlb_test.cc %s', (_, hash, primary, active, expected) => {
    const weights = active.map(() => 1 / active.length)
    expect(envoyBound({ factor: 0.01, total: 4, active, weights }, primary, word(hash))).toBe(expected)
  })

  test('a host may come to one above its slots, no further', () => {
    fc.assert(
      fc.property(
        hosts,
        fc.integer({ min: 100, max: 300 }),
        fc.nat(),
        ({ active, weights }, percent, hash) => {
          const given = load(active, percent / 100, weights)
          const chosen = envoyBound(given, hash % active.length, word(hash))
          const slots = (host: number): number =>
            Math.max(
              1,
              Math.ceil(Math.ceil(((given.total + 1) * percent) / 100) * (given.weights[host] ?? 0)),
            )
          expect(active[chosen]).toBeLessThanOrEqual(slots(chosen))
        },
      ),
    )
  })
})
