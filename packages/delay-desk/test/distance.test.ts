import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readAirports } from '../src/airports.ts'
import { configure } from '../src/configuration.ts'
import { greatCircle } from '../src/great-circle.ts'

// The airline's own miles are an oracle for the great circle that nobody here has computed.
test('agrees with the miles of the data to 15 km and 0.6 % plus their rounding, on every flight', async () => {
  const { flights, airports: airportsFile } = configure([])
  const { indexes, latitudes, longitudes } = await readAirports(airportsFile)
  const rows = JSON.parse(readFileSync(flights.path, 'utf8')) as {
    distance: number
    origin: string
    destination: string
  }[]
  const place = (code: string): [number, number] => {
    const index = indexes.get(code) ?? -1
    return [latitudes[index] ?? Number.NaN, longitudes[index] ?? Number.NaN]
  }
  const off = rows.filter(({ distance, origin, destination }) => {
    const km = greatCircle(...place(origin), ...place(destination))
    const flown = distance * 1.609344
    return !(Math.abs(km - flown) < Math.min(15, 0.006 * flown + 1.609344))
  })
  expect(rows.length).toBe(20_000)
  expect(off).toEqual([])
})
