import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { configure } from '../test/configure.ts'
import { readAirports } from './airports.ts'
import { audit } from './audit.ts'
import { readFlights } from './flights.ts'
import { greatCircle } from './great-circle.ts'
import { award } from './policy.ts'

test('shares nothing with the desk', () => {
  const source = readFileSync(new URL('audit.ts', import.meta.url), 'utf8')
  const imported = [...source.matchAll(/from '([^']+)'|import\('([^']+)'/g)].map(
    (match) => match[1] ?? match[2],
  )
  expect(imported).toEqual(['node:fs/promises', 'hyparquet', 'hyparquet-compressors'])
})

test.each([
  ['20k', 'eu261'],
  ['200k', 'eu261'],
  ['20k', 'uk261'],
])('owes for %s by %s what the desk decides', async (flights, name) => {
  const {
    flights: file,
    airports: airportsFile,
    policy,
  } = await configure([`flights=${flights}`, `policy=${name}`])
  const airports = await readAirports(airportsFile)
  const { count, delays, origins, destinations } = await readFlights(file, airports)
  const { owed } = await audit(file.path, airportsFile, policy.rules, file.limit)
  expect(owed.length).toBe(count)
  const { latitudes, longitudes } = airports
  const at = (column: ArrayLike<number>, index: number): number => column[index] ?? Number.NaN
  let differing = 0
  for (let claim = 0; claim < count; claim++) {
    const [from, to] = [at(origins, claim), at(destinations, claim)]
    const km = (): number =>
      greatCircle(at(latitudes, from), at(longitudes, from), at(latitudes, to), at(longitudes, to))
    if (owed[claim] !== award(policy, at(delays, claim), km)) differing++
  }
  expect(differing).toBe(0)
})
