import { expect, test } from 'vitest'
import { EARTH_RADIUS_KM, greatCircle } from './great-circle.ts'

test('gives the published distance of Nashville and Los Angeles', () => {
  // Rosetta Code, "Haversine formula": BNA (36.12, -86.67) to LAX (33.94, -118.40) is 2887.2599506071106 km for 6372.8 km.
  const km = greatCircle(36.12, -86.67, 33.94, -118.4)
  expect((km * 6372.8) / EARTH_RADIUS_KM).toBeCloseTo(2887.2599506071106, 9)
})

test('gives what geometry says of poles, equator and antipodes', () => {
  const quarter = (Math.PI / 2) * EARTH_RADIUS_KM
  expect(greatCircle(0, 0, 90, 77)).toBeCloseTo(quarter, 9)
  expect(greatCircle(0, -45, 0, 45)).toBeCloseTo(quarter, 9)
  expect(greatCircle(0, 179, 0, -179)).toBeCloseTo((quarter * 2) / 90, 9)
  for (const latitude of [-60, 0, 33.3, 90]) {
    for (const longitude of [-120, -0.1, 0, 60]) {
      expect(greatCircle(latitude, longitude, -latitude, longitude + 180)).toBeCloseTo(2 * quarter, 6)
      expect(greatCircle(latitude, longitude, latitude, longitude)).toBe(0)
    }
  }
})
