import { expect, test } from 'vitest'
import { award } from './award.ts'

/** The rule as the design words it, as a table that is searched from the top. */
const rule = [
  { minutes: 180, beyond: 3500, euros: 600 },
  { minutes: 180, beyond: 1500, euros: 400 },
  { minutes: 180, beyond: -1, euros: 250 },
  { minutes: 120, beyond: -1, euros: 30 },
  { minutes: 60, beyond: -1, euros: 15 },
  { minutes: -Infinity, beyond: -1, euros: 0 },
]

test('is the highest that applies, for every delay and around every border of distance', () => {
  const distances = [0, 1, 1499.999999, 1500, 1500.000001, 2500, 3499.999999, 3500, 3500.000001, 8000, 20_016]
  for (let delay = -100; delay <= 2000; delay++) {
    for (const km of distances) {
      const expected = rule.find(({ minutes, beyond }) => delay >= minutes && km > beyond)?.euros
      expect(
        award(delay, () => km),
        `${delay} minutes, ${km} km`,
      ).toBe(expected)
    }
  }
})

test('does not ask for the distance where it does not matter', () => {
  const distance = (): never => {
    throw new Error('asked')
  }
  expect([-5, 59, 60, 119, 120, 179].map((delay) => award(delay, distance))).toEqual([0, 0, 15, 15, 30, 30])
  expect(() => award(180, distance)).toThrow('asked')
})
