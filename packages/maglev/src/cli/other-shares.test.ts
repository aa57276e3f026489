import { expect, test } from 'vitest'
import { rendezvousShares, ringShares } from './other-shares.ts'

const ids = Array.from({ length: 100 }, (_, n) => `10.0.0.${n}:80`)

/** Standard deviation of the shares, in parts of their mean. */
function unevenness(slots: Uint32Array): number {
  const mean = slots.reduce((sum, count) => sum + count, 0) / slots.length
  return Math.sqrt(slots.reduce((sum, count) => sum + (count - mean) ** 2, 0) / slots.length) / mean
}

test('all slots are given away, by either way, whatever the order of the backends', () => {
  for (const shares of [ringShares, rendezvousShares]) {
    const slots = shares(ids, 10_007)
    expect(slots.reduce((sum, count) => sum + count, 0)).toBe(10_007)
    expect([...shares(ids.toReversed(), 10_007)]).toEqual([...slots].toReversed())
    expect([...shares(['a'], 11)]).toEqual([11])
  }
})

test('a backend that goes leaves the others at least what they had', () => {
  for (const shares of [ringShares, rendezvousShares]) {
    const before = shares(ids, 10_007)
    const after = shares(ids.slice(1), 10_007)
    for (const [index, count] of after.entries()) expect(count).toBeGreaterThanOrEqual(before[index + 1] ?? 0)
  }
})

test('they are as uneven as theory has it: a draw of slots, and for the ring that of its arcs', () => {
  const size = 1_000_003
  // 10,000 slots each, drawn: 1 %. Arcs of 1,000 exponential parts: 3.2 %.
  const drawn = unevenness(rendezvousShares(ids, size))
  expect(drawn).toBeGreaterThan(0.0075)
  expect(drawn).toBeLessThan(0.0125)
  const arcs = unevenness(ringShares(ids, size))
  expect(arcs).toBeGreaterThan(0.024)
  expect(arcs).toBeLessThan(0.041)
})
