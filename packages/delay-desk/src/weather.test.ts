import { expect, test } from 'vitest'
import { type Fortune, type Weather, weatherOf } from './weather.ts'

const storm: Fortune = { fair: [200, 500], trouble: [50, 150] }

function spells(seed: number): { weather: Weather; ms: number }[] {
  const weather = weatherOf(storm, 'bank', seed)
  const found: { weather: Weather; ms: number }[] = []
  for (let ms = 0; ms < 60_000; ms++) {
    const now = weather(ms)
    const last = found.at(-1)
    if (last?.weather === now) last.ms++
    else found.push({ weather: now, ms: 1 })
  }
  return found.slice(0, -1)
}

test('the same seed brings the same weather, another seed and another service another', () => {
  expect(spells(1)).toEqual(spells(1))
  expect(spells(1)).not.toEqual(spells(2))
  const bank = weatherOf(storm, 'bank', 1)
  const records = weatherOf(storm, 'records', 1)
  expect(Array.from({ length: 5000 }, (_, ms) => bank(ms) === records(ms))).toContain(false)
})

test('a storm has each trouble, between fair spells, none longer than it may be', () => {
  const found = spells(7)
  expect(new Set(found.map(({ weather }) => weather))).toEqual(new Set(['fair', 'refuses', 'hangs', 'slow']))
  for (const [place, { weather, ms }] of found.entries()) {
    expect(weather === 'fair').toBe(place % 2 === 0)
    expect(ms).toBeGreaterThanOrEqual(weather === 'fair' ? 200 : 50)
    expect(ms).toBeLessThanOrEqual(weather === 'fair' ? 500 : 150)
  }
})

test('a calm is fair for ever', () => {
  const weather = weatherOf(null, 'bank', 1)
  expect([0, 1e3, 1e9].map(weather)).toEqual(['fair', 'fair', 'fair'])
})
