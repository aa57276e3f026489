import { isMaglevError, Maglev, type MaglevOptions } from '@loadbearing/maglev'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { id, weight } from './differential/arbitraries.ts'
import { xxh64 } from './model/hash.ts'
import { paperTable } from './model/tables.ts'

/** The acceptance list of the specification (section 10), by its numbers, and its traps (section 11). */

const hosts = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}:80`)

function countsOf(maglev: Maglev): number[] {
  const counts = maglev.backends.map(() => 0)
  for (const owner of maglev.owners()) if (owner >= 0) counts[owner]! += 1
  return counts
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return isMaglevError(error) ? error.code : `not a MaglevError: ${String(error)}`
  }
}

/** Owners' ids by slot. */
function ownerIds(maglev: Maglev): (string | undefined)[] {
  const { backends } = maglev
  return Array.from(maglev.owners(), (owner) => backends[owner]?.id)
}

const ids = fc.uniqueArray(id, { minLength: 2, maxLength: 25 })

describe('3. table size', () => {
  test.each([4, 8, 9, 65_536, 5_000_009])('%i is not a prime', (tableSize) => {
    expect(codeOf(() => new Maglev(['a'], { tableSize }))).toBe('TABLE_SIZE_NOT_PRIME')
  })

  test.each([0, 1, -7, 7.5, Number.NaN, Infinity, 5_000_017, 2 ** 40])('%d is out of range', (tableSize) => {
    expect(codeOf(() => new Maglev(['a'], { tableSize }))).toBe('TABLE_SIZE_OUT_OF_RANGE')
  })

  test('5,000,011 slots work, in less than 25 MB', () => {
    const before = process.memoryUsage().arrayBuffers
    const maglev = new Maglev(hosts(100), { tableSize: 5_000_011 })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(25e6)
    const counts = countsOf(maglev)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
  })
})

test.each(['stable', 'classic'] as const)(
  '4. %s: 1,000 equal backends on 65,537 slots own 65 or 66 each',
  (mode) => {
    const counts = countsOf(new Maglev(hosts(1000), { mode }))
    expect([Math.min(...counts), Math.max(...counts)]).toEqual([65, 66])
  },
)

test('5. 1,000 insertion orders make one table', () => {
  const all = hosts(50).map((host, i) => ({ id: host, weight: 1 + (i % 3) }))
  const { fingerprint } = new Maglev(all, { tableSize: 5003 })
  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
      expect(new Maglev(shuffled, { tableSize: 5003 }).fingerprint).toBe(fingerprint)
    }),
    { numRuns: 1000 },
  )
})

describe('6. stable mode moves no key of a backend that is up', () => {
  test.each([0.001, 0.01, 0.05, 0.2])('%d of 1,000 backends fail', (part) => {
    const all = hosts(1000)
    const maglev = new Maglev(all, { tableSize: 655_373 })
    const before = maglev.owners()
    const failed = Math.round(1000 * part)
    const health = Object.fromEntries(
      all.filter((_, i) => (i * 7) % 1000 < failed).map((each) => [each, 'unhealthy'] as const),
    )
    expect(Object.keys(health)).toHaveLength(failed)
    maglev.update({ health })
    const after = maglev.owners()
    const down = new Set(all.keys().filter((i) => Object.hasOwn(health, all[i] ?? '')))
    let collateral = 0
    for (const [slot, owner] of before.entries())
      if (!down.has(owner) && after[slot] !== owner) collateral += 1
    expect(collateral).toBe(0)
    const counts = countsOf(maglev).filter((_, i) => !down.has(i))
    expect(Math.max(...counts) / (655_373 / counts.length)).toBeLessThanOrEqual(1.02)
  })

  test('whatever the weights, the health and the order of events', () => {
    const scenario = fc.uniqueArray(fc.record({ id, weight }), {
      minLength: 2,
      maxLength: 20,
      selector: (each) => each.id,
    })
    fc.assert(
      fc.property(
        scenario,
        fc.array(fc.tuple(fc.nat(19), fc.boolean()), { maxLength: 30 }),
        (backends, events) => {
          const maglev = new Maglev(backends, { tableSize: 2003 })
          const base = ownerIds(maglev)
          const down = new Set<string>()
          for (const [index, up] of events) {
            const backend = backends[index % backends.length]!
            maglev.setHealth(backend.id, up ? 'healthy' : 'ejected')
            if (up) down.delete(backend.id)
            else down.add(backend.id)
            // (a) whoever is up keeps what was his; whoever is down has nothing.
            for (const [slot, owner] of ownerIds(maglev).entries()) {
              const was = base[slot] ?? ''
              const right = down.has(was)
                ? (owner === undefined) === (down.size === backends.length) && !down.has(owner ?? '')
                : owner === was
              expect(right, `slot ${slot} of ${was} went to ${owner}`).toBe(true)
            }
          }
          // (b) the way there does not matter.
          const fresh = new Maglev(
            backends.map((each) => ({
              ...each,
              health: down.has(each.id) ? ('disabled' as const) : ('healthy' as const),
            })),
            { tableSize: 2003 },
          )
          expect(fresh.fingerprint).toBe(maglev.fingerprint)
          // 7. all back: as before.
          maglev.update({ health: Object.fromEntries(backends.map((each) => [each.id, 'healthy'])) })
          expect(ownerIds(maglev)).toEqual(base)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('9. keys', () => {
  test('a string and its UTF-8 bytes are one key, in every mode of hashing', () => {
    const options: MaglevOptions[] = [
      { hash: 'xxh32' },
      { hash: 'xxh64' },
      { secret: '000102030405060708090a0b0c0d0e0f' },
      { mode: 'envoy' },
    ]
    const tables = options.map((each) => new Maglev(hosts(100), { tableSize: 5003, ...each }))
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3000, size: 'max' }), (key) => {
        const bytes = new TextEncoder().encode(key)
        for (const table of tables) expect(table.lookup(key)).toBe(table.lookup(bytes))
      }),
      { numRuns: 300 },
    )
  })

  test('a number and a bigint are the hash: slot = hash mod size, exactly', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.constantFrom(7, 65_537, 655_373),
        (hash, tableSize) => {
          const maglev = new Maglev(hosts(5), { tableSize })
          const expected = maglev.backends[maglev.owners()[Number(hash % BigInt(tableSize))]!]?.id
          expect(maglev.lookup(hash)).toBe(expected)
          const low = BigInt.asUintN(53, hash)
          expect(maglev.lookup(Number(low))).toBe(maglev.lookup(low))
        },
      ),
      { numRuns: 60 },
    )
  })

  test.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53, -1n, 2n ** 64n])('%s is no key', (key) => {
    const maglev = new Maglev(['a'])
    for (const run of [() => maglev.lookup(key), () => maglev.replicas(key, 2), () => maglev.explain(key)]) {
      expect(codeOf(run)).toBe('INVALID_KEY')
    }
  })

  test('lookupMany is lookup', () => {
    const maglev = new Maglev(hosts(30))
    const keys = Array.from({ length: 500 }, (_, i) => (i % 2 === 0 ? `key-${i}` : i * 2_654_435_761))
    expect(maglev.lookupMany(keys)).toEqual(keys.map((key) => maglev.lookup(key)))
  })
})

test('replicas are distinct, available, and stay while others fail', () => {
  fc.assert(
    fc.property(ids, fc.string(), fc.nat(24), (list, key, index) => {
      const maglev = new Maglev(list, { tableSize: 1021 })
      const all = maglev.replicas(key, list.length)
      expect(new Set(all)).toEqual(new Set(list))
      expect(all).toHaveLength(list.length)
      expect(maglev.replicas(key, list.length + 5)).toEqual(all)
      expect(all[0]).toBe(maglev.lookup(key))
      for (let n = 0; n <= list.length; n++) expect(maglev.replicas(key, n)).toEqual(all.slice(0, n))
      for (let attempt = 0; attempt <= list.length; attempt++)
        expect(maglev.lookup(key, attempt)).toBe(all[attempt])
      const failed = list[index % list.length]!
      maglev.setHealth(failed, 'unhealthy')
      const left = maglev.replicas(key, list.length)
      expect(left).toHaveLength(list.length - 1)
      expect(left).not.toContain(failed)
    }),
    { numRuns: 100 },
  )
})

test('22. a plan is the difference of the tables, for 500 random changes', () => {
  const change = fc.record({
    add: fc.uniqueArray(fc.record({ id: fc.string({ minLength: 41, maxLength: 50 }), weight }), {
      maxLength: 3,
      selector: (each) => each.id,
    }),
    remove: fc.array(fc.nat(24), { maxLength: 3 }),
    reweigh: fc.array(fc.tuple(fc.nat(24), weight), { maxLength: 3 }),
    fail: fc.array(fc.nat(24), { maxLength: 3 }),
  })
  const mode = fc.constantFrom('stable' as const, 'classic' as const, 'envoy' as const)
  fc.assert(
    fc.property(mode, ids, change, (each, list, { add, remove, reweigh, fail }) => {
      const at = (index: number): string => list[index % list.length]!
      const gone = [...new Set(remove.map(at))]
      const stays = (name: string): boolean => !gone.includes(name)
      const maglev = new Maglev(list, { mode: each, tableSize: 1021 })
      const before = ownerIds(maglev)
      const plan = maglev.plan({
        add,
        remove: gone,
        weight: Object.fromEntries(
          reweigh.map(([index, w]) => [at(index), w] as const).filter(([name]) => stays(name)),
        ),
        health: Object.fromEntries(
          fail
            .map(at)
            .filter(stays)
            .map((name) => [name, 'unhealthy' as const]),
        ),
      })
      expect(ownerIds(maglev)).toEqual(before)
      plan.apply()
      const after = ownerIds(maglev)
      const moved = before.filter((owner, slot) => owner !== after[slot]).length
      expect(plan.changed).toBe(moved)
      const surplus = new Map<string | undefined, number>()
      for (const owner of before) surplus.set(owner, (surplus.get(owner) ?? 0) + 1)
      for (const owner of after) surplus.set(owner, (surplus.get(owner) ?? 0) - 1)
      expect(plan.ideal).toBe(surplus.values().reduce((sum, count) => sum + Math.max(0, count), 0))
      expect(plan.collateral).toBe(plan.changed - plan.ideal)
      expect(codeOf(() => plan.apply())).toBe('STALE_PLAN')
    }),
    { numRuns: 500 },
  )
})

describe('24. weights', () => {
  test.each([Number.NaN, -1, -0.5, Infinity, -Infinity])('%d is refused', (wrong) => {
    expect(codeOf(() => new Maglev([{ id: 'a', weight: wrong }]))).toBe('INVALID_WEIGHT')
    const maglev = new Maglev(['a', 'b'])
    const { fingerprint } = maglev
    expect(codeOf(() => maglev.setWeight('a', wrong))).toBe('INVALID_WEIGHT')
    expect(codeOf(() => maglev.plan({ add: [{ id: 'c', weight: wrong }] }))).toBe('INVALID_WEIGHT')
    expect(maglev.fingerprint).toBe(fingerprint)
  })

  test.each(['stable', 'classic', 'envoy'] as const)(
    '%s: 0 owns nothing; 1 beside 1e6 owns something',
    (mode) => {
      expect(countsOf(new Maglev([{ id: 'a', weight: 0 }, { id: 'b' }], { mode }))[0]).toBe(0)
      expect(
        countsOf(
          new Maglev(
            [
              { id: 'a', weight: 1 },
              { id: 'b', weight: 1e6 },
            ],
            { mode },
          ),
        )[0],
      ).toBeGreaterThanOrEqual(1)
    },
  )

  test.each(['stable', 'classic'] as const)('%s: proportional within one slot', (mode) => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.5, max: 40, noNaN: true }), { minLength: 1, maxLength: 30 }),
        (weights) => {
          const counts = countsOf(
            new Maglev(
              weights.map((each, i) => ({ id: String(i), weight: each })),
              { mode, tableSize: 4093 },
            ),
          )
          const sum = weights.reduce((total, each) => total + each, 0)
          for (const [i, each] of weights.entries())
            expect(Math.abs(counts[i]! - (4093 * each) / sum)).toBeLessThanOrEqual(1)
        },
      ),
      { numRuns: 100 },
    )
  })

  test('weights of any size make a table of all slots', () => {
    const weights = fc.array(
      fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constantFrom(5e-324, 1e-300, 1e9)),
      { minLength: 1, maxLength: 4 },
    )
    fc.assert(
      fc.property(
        weights,
        fc.constantFrom('stable' as const, 'classic' as const, 'envoy' as const),
        (list, mode) => {
          const counts = countsOf(
            new Maglev(
              list.map((each, i) => ({ id: String(i), weight: each })),
              { mode, tableSize: 251 },
            ),
          )
          const total = counts.reduce((sum, count) => sum + count, 0)
          expect(total).toBe(list.some((each) => each > 0) ? 251 : 0)
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('25. ids', () => {
  test('twice the same is refused, and nothing is changed', () => {
    expect(codeOf(() => new Maglev(['a', 'b', 'a']))).toBe('DUPLICATE_BACKEND')
    const maglev = new Maglev(['a', 'b'])
    expect(codeOf(() => maglev.add('a'))).toBe('DUPLICATE_BACKEND')
    expect(maglev.backends.map((each) => each.id)).toEqual(['a', 'b'])
  })

  test('hostile ones are ordinary ones', () => {
    const names = ['__proto__', 'constructor', 'toString', '', '\0', 'x'.repeat(65_536), '😀', '\uffff', ' ']
    const maglev = new Maglev(names, { tableSize: 1021 })
    for (const name of names) {
      maglev.setHealth(name, 'unhealthy')
      expect(ownerIds(maglev)).not.toContain(name)
      maglev.setHealth(name, 'healthy')
      maglev.setWeight(name, 2)
      maglev.plan({ remove: [name] }).apply()
      maglev.add(name)
    }
    expect(new Set(ownerIds(maglev))).toEqual(new Set(names))
    expect(Object.getPrototypeOf({})).toBe(Object.prototype)
  })

  test.each(['stable', 'classic', 'envoy'] as const)(
    '%s: turns are in the order of UTF-8 bytes, astral ids after U+E000 to U+FFFF, as UTF-16 has them not',
    (mode) => {
      const order = ['a', '\u00e9', '\ue000', '\uffee', '\ufffd', '\u{10000}', '😀', '\u{10ffff}']
      expect(order.toSorted()).not.toEqual(order)
      // The paper's table by the models of test/model, in an order of turns that is given.
      const filled = (turns: readonly string[]): (string | undefined)[] => {
        const lists = turns.map((each): readonly [bigint, bigint] => {
          const bytes = new TextEncoder().encode(each)
          return [xxh64(bytes, 0n) % 251n, (xxh64(bytes, 1n) % 250n) + 1n]
        })
        return paperTable(251, lists).map((turn) => turns[turn])
      }
      const maglev = new Maglev(order.toReversed(), { mode, tableSize: 251 })
      expect(ownerIds(maglev)).toEqual(filled(order))
      expect(ownerIds(maglev)).not.toEqual(filled(order.toSorted()))
    },
  )

  test.each([
    ['a lone surrogate', '\ud800'],
    ['too long', 'x'.repeat(65_537)],
  ])('%s is refused', (_, name) => {
    expect(codeOf(() => new Maglev([name]))).toBe('INVALID_BACKEND')
  })
})

test('nobody: undefined, or NO_BACKEND where a backend is asked for', () => {
  const maglev = new Maglev([])
  expect(maglev.lookup('key')).toBeUndefined()
  expect(maglev.replicas('key', 3)).toEqual([])
  expect(codeOf(() => maglev.pick('key'))).toBe('NO_BACKEND')
})

test('trap: 1,000 backends on 655,373 slots take no N x M memory', () => {
  const before = process.memoryUsage()
  const maglev = new Maglev(hosts(1000), { tableSize: 655_373 })
  const after = process.memoryUsage()
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(20e6)
  expect(countsOf(maglev).every((count) => count === 655 || count === 656)).toBe(true)
})

test('a secret spreads keys that were made to meet at one backend', () => {
  const open = new Maglev(hosts(10))
  const target = open.lookup('start')
  const crafted: string[] = []
  for (let n = 0; crafted.length < 5000; n++) if (open.lookup(`k${n}`) === target) crafted.push(`k${n}`)
  const keyed = new Maglev(hosts(10), { secret: 'f0e1d2c3b4a5968778695a4b3c2d1e0f' })
  const counts = new Map<string | undefined, number>()
  for (const key of crafted) counts.set(keyed.lookup(key), (counts.get(keyed.lookup(key)) ?? 0) + 1)
  const sigma = Math.sqrt(5000 * 0.1 * 0.9)
  for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(4 * sigma)
  expect(counts.size).toBe(10)
})

describe('sliced building', () => {
  test('the old table serves until the new one is whole, and the last change wins', async () => {
    const maglev = new Maglev(hosts(100), { rebuild: 'sliced', tableSize: 655_373 })
    const before = maglev.fingerprint
    const [first = '', second = ''] = hosts(2)
    maglev.setHealth(first, 'unhealthy')
    maglev.setHealth(second, 'unhealthy')
    expect(maglev.fingerprint).toBe(before)
    await maglev.settled()
    const wanted = new Maglev(hosts(100), { tableSize: 655_373 })
    wanted.update({ health: { [first]: 'unhealthy', [second]: 'unhealthy' } })
    expect(maglev.fingerprint).toBe(wanted.fingerprint)
  })
})
