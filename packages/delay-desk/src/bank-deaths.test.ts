import { expect, test } from 'vitest'
import { type Deaths, deathOf } from './bank-deaths.ts'

const deaths: Deaths = { times: 3, after: [100, 300], at: ['received', 'begun', 'applied', 'kept'] }

test('the same seed brings the same deaths, another seed others', () => {
  const script = (seed: number): unknown[] => [0, 1, 2].map((life) => deathOf(deaths, seed, life))
  expect(script(1)).toEqual(script(1))
  expect(script(1)).not.toEqual(script(2))
})

test('it dies as often as it is to, within the bounds, at each of the places', () => {
  const drawn = Array.from({ length: 400 }, (_, seed) => deathOf(deaths, seed, seed % 3))
  for (const death of drawn) {
    expect(death?.after).toBeGreaterThanOrEqual(100)
    expect(death?.after).toBeLessThanOrEqual(300)
  }
  expect(new Set(drawn.map((death) => death?.at))).toEqual(new Set(deaths.at))
  expect(deathOf(deaths, 1, 3)).toBeUndefined()
  expect(deathOf(null, 1, 0)).toBeUndefined()
})
