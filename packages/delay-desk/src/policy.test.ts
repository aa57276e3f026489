import { expect, test } from 'vitest'
import { award, leastDelay, type Policy } from './policy.ts'

const policy: Policy = {
  name: 'eu261',
  currency: 'euros',
  iso: 'eur',
  rules: [
    { delay: 180, beyond: 3500, amount: 600 },
    { delay: 180, beyond: 1500, amount: 400 },
    { delay: 180, beyond: 0, amount: 250 },
    { delay: 120, beyond: 0, amount: 30 },
    { delay: 60, beyond: 0, amount: 15 },
  ],
}

/** The rule as the design words it. */
function asWorded(delay: number, km: number): number {
  if (delay >= 180) return km <= 1500 ? 250 : km <= 3500 ? 400 : 600
  return delay >= 120 ? 30 : delay >= 60 ? 15 : 0
}

test('is the highest that applies, for every delay and around every border of distance', () => {
  const distances = [0, 1, 1499.999999, 1500, 1500.000001, 2500, 3499.999999, 3500, 3500.000001, 8000, 20_016]
  for (let delay = -100; delay <= 2000; delay++) {
    for (const km of distances) {
      expect(
        award(policy, delay, () => km),
        `${delay} minutes, ${km} km`,
      ).toBe(asWorded(delay, km))
    }
  }
})

test('does not ask for the distance where it does not matter', () => {
  const distance = (): never => {
    throw new Error('asked')
  }
  const delays = [-5, 59, 60, 119, 120, 179]
  expect(delays.map((delay) => award(policy, delay, distance))).toEqual([0, 0, 15, 15, 30, 30])
  expect(() => award(policy, 180, distance)).toThrow('asked')
})

test('nothing is earned below its least delay', () => {
  expect(leastDelay(policy)).toBe(60)
})
