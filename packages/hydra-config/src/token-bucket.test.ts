import { assert, integer, property } from 'fast-check'
import { expect, test } from 'vitest'
import { isHydraConfigError } from './errors.ts'
import { tokenBucket } from './token-bucket.ts'

test('never grants more than the capacity and what came back', () => {
  assert(
    property(
      integer({ min: 1, max: 50 }),
      integer({ min: 1, max: 50 }),
      integer({ min: 1, max: 5000 }),
      (capacity, rate, endMs) => {
        const bucket = tokenBucket({ capacity, refillPerSecond: rate })
        let granted = 0
        for (let nowMs = 0; nowMs <= endMs; nowMs += 7) if (bucket.take(nowMs)) granted++
        expect(granted).toBeLessThanOrEqual(capacity + (endMs / 1000) * rate + 1e-6)
      },
    ),
  )
})

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a capacity of %s', (capacity) => {
  let thrown: unknown
  try {
    tokenBucket({ capacity, refillPerSecond: 1 })
  } catch (error) {
    thrown = error
  }
  expect(isHydraConfigError(thrown) && thrown.code).toBe('INVALID_OPTION')
})
