import fc from 'fast-check'
import { expect, test } from 'vitest'
import { apportion } from './apportion.ts'

const weight = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 1e-9, max: 1e9, noNaN: true }))

test('quotas sum to the total, keep the floors and are within one slot of the share where no floor binds', () => {
  fc.assert(
    fc.property(
      fc.array(weight, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 40, max: 70_000 }),
      (weights, total) => {
        const floors = new Uint32Array(weights.length).fill(1)
        const quotas = apportion(total, Float64Array.from(weights), floors)
        expect(quotas.reduce((sum, quota) => sum + quota, 0)).toBe(total)
        expect(Math.min(...quotas)).toBeGreaterThanOrEqual(1)
        const sum = weights.reduce((a, b) => a + b, 0)
        // How far each is from its share; where a floor binds, the others give way.
        const bound = weights.some((w) => (w * total) / sum < 1)
        const off = weights.map((w, i) => Math.abs((quotas[i] ?? 0) - (w * total) / sum))
        expect(bound || Math.max(...off) <= 1).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})

test('a heavier member never has fewer slots', () => {
  fc.assert(
    fc.property(fc.array(weight, { minLength: 2, maxLength: 20 }), (weights) => {
      const sorted = Float64Array.from(weights).toSorted()
      const quotas = apportion(1009, sorted, new Uint32Array(sorted.length).fill(1))
      // A tie of remainders goes to the lower index, so equal weights may differ by one.
      for (let i = 1; i < quotas.length; i++)
        expect((quotas[i] ?? 0) + 1).toBeGreaterThanOrEqual(quotas[i - 1] ?? 0)
    }),
  )
})

test('floors above the share are kept, and the others share what is left', () => {
  const quotas = apportion(100, Float64Array.of(1, 1, 1), Uint32Array.of(60, 0, 0))
  expect([...quotas]).toEqual([60, 20, 20])
})

test('floors that use up everything leave nothing to share', () => {
  expect([...apportion(10, Float64Array.of(5, 1), Uint32Array.of(9, 1))]).toEqual([9, 1])
})
