import fc from 'fast-check'
import { expect, test } from 'vitest'
import { percentile } from './percentile.ts'

test('lies between its neighbours, rises with the rank, and ends at the ends', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(100_000), { minLength: 1 }).map((values) => values.toSorted((a, b) => a - b)),
      (sorted) => {
        const all = Array.from({ length: 101 }, (_, percent) => percentile(sorted, percent))
        expect(all).toEqual(all.toSorted((a, b) => a - b))
        expect([all[0], all[100]]).toEqual([sorted[0], sorted.at(-1)])
        expect(percentile(sorted, -5)).toBe(sorted[0])
        expect(percentile(sorted, 500)).toBe(sorted.at(-1))
      },
    ),
  )
})
