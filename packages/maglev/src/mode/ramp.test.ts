import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Maglev } from '../maglev.ts'
import { restore, toBytes, toJson } from '../snapshot.ts'

const size = 2003

function counts(lb: Maglev): Map<string, number> {
  const found = new Map<string, number>()
  const owners = lb.owners()
  for (const owner of owners) {
    const id = lb.backends[owner]?.id ?? ''
    found.set(id, (found.get(id) ?? 0) + 1)
  }
  return found
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `10.0.0.${i}:80`)

test('stable: a ramp moves slots of the ramping backend only, and each step only adds to what it has', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 15 }),
      fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 }),
      (count, steps) => {
        const lb = new Maglev(ids(count), { tableSize: size })
        const base = lb.owners()
        let held = new Set<number>()
        for (const ramp of steps.toSorted((a, b) => a - b)) {
          lb.update({ ramp: { '10.0.0.0:80': ramp } })
          const now = lb.owners()
          const mine = new Set<number>()
          for (const [slot, owner] of now.entries()) {
            if (base[slot] !== 0) expect(owner).toBe(base[slot])
            else if (owner === 0) mine.add(slot)
          }
          expect(held.isSubsetOf(mine)).toBe(true)
          held = mine
        }
        lb.update({ ramp: { '10.0.0.0:80': 1 } })
        expect(lb.owners()).toEqual(base)
      },
    ),
  )
})

test.each(['stable', 'classic', 'envoy'] as const)('%s: the share goes with the ramp', (mode) => {
  const lb = new Maglev(ids(10), { mode, tableSize: 65_537 })
  const full = counts(lb).get('10.0.0.3:80') ?? 0
  for (const ramp of [0.1, 0.25, 0.5, 0.75, 1]) {
    lb.update({ ramp: { '10.0.0.3:80': ramp } })
    // Part of its slots here, part of its weight there.
    const part = mode === 'stable' ? ramp : (ramp * 10) / (9 + ramp)
    expect((counts(lb).get('10.0.0.3:80') ?? 0) / full).toBeCloseTo(part, 3)
    const others = [...counts(lb)].filter(([id]) => id !== '10.0.0.3:80').map(([, slots]) => slots)
    expect(Math.max(...others) / Math.min(...others)).toBeLessThan(1.01)
  }
})

test('stable: where all are ramping, or the others are down, keys still go somewhere, by weight and ramp', () => {
  const lb = new Maglev(ids(3), { tableSize: 65_537 })
  lb.update({ ramp: { '10.0.0.0:80': 0.2, '10.0.0.1:80': 0.2, '10.0.0.2:80': 0.4 } })
  const shares = [...counts(lb).values()].map((slots) => slots / 65_537).toSorted((a, b) => a - b)
  for (const [i, part] of [0.25, 0.25, 0.5].entries()) expect(shares[i]).toBeCloseTo(part, 3)
  lb.update({ health: { '10.0.0.0:80': 'unhealthy', '10.0.0.1:80': 'unhealthy' } })
  expect(counts(lb)).toEqual(new Map([['10.0.0.2:80', 65_537]]))
})

test.each(['cilium', 'katran-v1', 'katran-v2', 'go-maglev'] as const)('%s refuses a ramp', (mode) => {
  const hash = mode.startsWith('katran') ? { hash: 1n } : {}
  const lb = new Maglev([{ id: 'a', ...hash }], { mode, tableSize: 251 })
  const refused = expect.objectContaining({ code: 'INVALID_WEIGHT' })
  expect(() => lb.update({ ramp: { a: 0.5 } })).toThrow(refused)
  expect(() => lb.update({ add: [{ id: 'b', ramp: 0.5, ...hash }] })).toThrow(refused)
  lb.update({ ramp: { a: 1 } })
})

test.each([0, -1, 1.5, Number.NaN, '1'])('a ramp of %s is refused', (ramp) => {
  // @ts-expect-error: one of them is a string
  const given: number = ramp
  expect(() => new Maglev([{ id: 'a', ramp: given }])).toThrow(
    expect.objectContaining({ code: 'INVALID_WEIGHT' }),
  )
})

test('a snapshot keeps ramps', () => {
  const lb = new Maglev(ids(3), { tableSize: size })
  lb.update({ ramp: { '10.0.0.1:80': 0.3 } })
  for (const snapshot of [toBytes(lb), toJson(lb)]) {
    const restored = restore(snapshot)
    expect(restored.fingerprint).toBe(lb.fingerprint)
    expect(restored.configured.get('10.0.0.1:80')?.ramp).toBe(0.3)
  }
})
