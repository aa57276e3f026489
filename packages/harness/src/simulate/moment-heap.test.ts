import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { MomentHeap } from './moment-heap.ts'

test('gives the smallest of what it holds, as a sorted array would', () => {
  const steps = fc.array(fc.option(fc.nat(50)), { maxLength: 200 })
  const property = fc.property(steps, (pushes) => {
    const heap = new MomentHeap()
    const expected: (number | undefined)[] = []
    const popped: (number | undefined)[] = []
    let sorted: number[] = []
    // As many pops at the end as empty it for certain.
    for (const moment of [...pushes, ...pushes.map(() => null)]) {
      if (moment === null) {
        popped.push(heap.pop())
        expected.push(sorted.shift())
      } else {
        heap.push(moment)
        sorted = [...sorted, moment].toSorted((a, b) => a - b)
      }
    }
    expect(popped).toEqual(expected)
  })
  fc.assert(property, { numRuns: 500 })
})
