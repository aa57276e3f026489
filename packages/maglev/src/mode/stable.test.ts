import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Maglev } from '../maglev.ts'

const size = 1009

/** Some backends, each with a weight, and which of them are down. */
const fleets = fc.uniqueArray(
  fc.record({
    id: fc.string({ maxLength: 8 }),
    weight: fc.constantFrom(1, 1, 1, 2, 0.5, 7.25, 0),
    down: fc.boolean(),
  }),
  { selector: ({ id }) => id, minLength: 1, maxLength: 30 },
)

function countsOf(owners: Int32Array, backends: number): number[] {
  const counts = Array.from({ length: backends }, () => 0)
  for (const owner of owners) if (owner >= 0) counts[owner] = (counts[owner] ?? 0) + 1
  return counts
}

test('(a) a slot whose base owner is available belongs to it', () => {
  fc.assert(
    fc.property(fleets, (fleet) => {
      const lb = new Maglev(fleet, { tableSize: size })
      const base = lb.owners()
      lb.update({
        health: Object.fromEntries(
          fleet.map(({ id, down }) => [id, down ? 'unhealthy' : 'healthy'] as const),
        ),
      })
      const now = lb.owners()
      const anyUp = fleet.some(({ down, weight }) => !down && weight > 0)
      const isRight = (slot: number): boolean => {
        const [owner = -1, owned = -1] = [base[slot], now[slot]]
        if (fleet[owner]?.down === false) return owned === owner
        return anyUp ? fleet[owned]?.down === false : owned === -1
      }
      expect(Array.from(base.keys()).filter((slot) => !isRight(slot))).toEqual([])
    }),
  )
})

test('(b) the table depends on the configured and the available set alone', () => {
  fc.assert(
    fc.property(fleets, fc.infiniteStream(fc.nat()), (fleet, picks) => {
      const straight = new Maglev(
        fleet
          .toReversed()
          .map(({ down, ...backend }) => ({ ...backend, health: down ? 'ejected' : 'healthy' }) as const),
        { tableSize: size },
      )
      const wandering = new Maglev(fleet, { tableSize: size })
      for (const pick of picks.take(5)) {
        const { id } = fleet[pick % fleet.length] ?? { id: '' }
        wandering.setHealth(id, pick % 2 === 0 ? 'unhealthy' : 'healthy')
      }
      for (const { id, down } of fleet) wandering.setHealth(id, down ? 'draining' : 'healthy')
      expect(wandering.fingerprint).toBe(straight.fingerprint)
    }),
  )
})

test('(c) with many failures of 1,000 the greatest share is within 2 % of the average', () => {
  const ids = Array.from({ length: 1000 }, (_, i) => `10.0.${i >> 8}.${i & 255}:80`)
  const lb = new Maglev(ids)
  const base = lb.owners()
  for (const failed of [1, 10, 50, 200]) {
    lb.update({
      health: Object.fromEntries(
        ids.map((id, i) => [id, i % (1000 / failed) === 0 ? 'unhealthy' : 'healthy'] as const),
      ),
    })
    const counts = countsOf(lb.owners(), 1000)
    expect(Math.max(...counts) / (65_537 / (1000 - failed))).toBeLessThanOrEqual(1.02)
  }
  lb.update({ health: Object.fromEntries(ids.map((id) => [id, 'healthy'] as const)) })
  expect(lb.owners()).toEqual(base)
})

test('unweighted, each owns floor or ceiling of the average', () => {
  const counts = countsOf(new Maglev(Array.from({ length: 1000 }, (_, i) => `b${i}`)).owners(), 1000)
  expect([Math.min(...counts), Math.max(...counts)]).toEqual([65, 66])
})

test('weights are kept within one slot, and the smallest has one', () => {
  const shares = (weights: readonly number[]): number[] =>
    countsOf(new Maglev(weights.map((weight, i) => ({ id: `b${i}`, weight }))).owners(), weights.length)
  for (const [i, count] of shares([2, 1, 1]).entries()) {
    expect(Math.abs(count - (65_537 * (i === 0 ? 2 : 1)) / 4)).toBeLessThan(1)
  }
  expect(shares([1, 1e6])).toEqual([1, 65_536])
  expect(shares([0.25, 0.5])).toEqual(shares([1, 2]))
})

test('zones keep their weight when their backends fail', () => {
  const backends = Array.from({ length: 20 }, (_, i) => ({ id: `b${i}`, zone: i < 5 ? 'a' : 'b' }))
  const lb = new Maglev(backends, { tableSize: 10_007, zones: { a: 1, b: 1 } })
  const inA = (): number =>
    countsOf(lb.owners(), 20)
      .slice(0, 5)
      .reduce((sum, count) => sum + count, 0)
  expect(Math.abs(inA() - 10_007 / 2)).toBeLessThan(5)
  lb.setHealth('b0', 'unhealthy')
  expect(Math.abs(inA() - 10_007 / 2)).toBeLessThan(5)
  lb.update({ health: { b1: 'unhealthy', b2: 'unhealthy', b3: 'unhealthy', b4: 'unhealthy' } })
  expect(inA()).toBe(0)
  expect(lb.owners()).not.toContain(-1)
})
