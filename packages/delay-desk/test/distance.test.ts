import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { beforeAll, expect, test } from 'vitest'
import { readAirports } from '../src/airports.ts'
import { dataset } from '../src/configuration.ts'
import { greatCircle } from '../src/great-circle.ts'

const KM_PER_MILE = 1.609344

interface Route {
  readonly name: string
  /** By the coordinates. */
  readonly km: number
  /** By the airline, who gives whole miles. */
  readonly flown: number
}

let routes: Route[]
beforeAll(async () => {
  const { indexes, latitudes, longitudes } = await readAirports(dataset('airports.csv'))
  const place = (code: unknown): [number, number] => {
    const index = indexes.get(String(code)) ?? -1
    return [latitudes[index] ?? Number.NaN, longitudes[index] ?? Number.NaN]
  }
  const rows = await parquetReadObjects({
    file: await asyncBufferFromFile(dataset('flights-3m.parquet')),
    columns: ['origin', 'destination', 'distance'],
    rowEnd: 200_000,
    compressors,
  })
  const distinct = new Map(
    rows.map((row) => [`${row['origin']}-${row['destination']} ${row['distance']}`, row]),
  )
  routes = [...distinct.values()].map(({ origin, destination, distance }) => ({
    name: `${origin}-${destination}`,
    km: greatCircle(...place(origin), ...place(destination)),
    flown: Number(distance) * KM_PER_MILE,
  }))
})

// The airline's own miles are an oracle for the great circle that nobody here has computed.
test('the great circle agrees with the miles of the data to 15 km, and to 0.6 % and a mile of rounding', () => {
  expect(routes.length).toBeGreaterThan(3000)
  const off = routes.filter(
    ({ km, flown }) => !(Math.abs(km - flown) < Math.min(15, 0.006 * flown + KM_PER_MILE)),
  )
  expect(off).toEqual([])
})

test('eight routes have another award by the miles', () => {
  const band = (km: number): number => (km <= 1500 ? 0 : km <= 3500 ? 1 : 2)
  const torn = routes.filter(({ km, flown }) => band(km) !== band(flown)).map(({ name }) => name)
  const pairs = ['CVG-FLL', 'LAS-PHL', 'RSW-CMH', 'LAS-MIA']
  expect(torn.toSorted((a, b) => a.localeCompare(b))).toEqual(
    pairs
      .flatMap((pair) => [pair, pair.split('-').toReversed().join('-')])
      .toSorted((a, b) => a.localeCompare(b)),
  )
})
