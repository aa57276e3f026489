import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { newFolder, removeFolders } from '../test/folders.ts'
import { readAirports } from './airports.ts'
import { dataset } from './configuration.ts'
import { DeskError } from './errors.ts'

afterAll(removeFolders)

const HEADER = 'iata,name,city,state,country,latitude,longitude'

function csv(...lines: string[]): string {
  const path = join(newFolder(), 'airports.csv')
  writeFileSync(path, lines.join('\n'))
  return path
}

test('reads the real file, lines with commas inside quotes too', async () => {
  const { indexes, latitudes, longitudes } = await readAirports(dataset('airports.csv'))
  expect(indexes.size).toBe(3376)
  const btr = indexes.get('BTR') ?? -1
  expect([latitudes[btr], longitudes[btr]]).toEqual([30.53316083, -91.14963444])
})

test('reads quotes inside quotes, empty fields and CRLF', async () => {
  const airports = await readAirports(
    csv(`${HEADER}\r`, 'AAA,"a ""b"", c",,,,1.5,-2\r', 'BBB,,,,,-90,180\r', ''),
  )
  expect([...airports.indexes]).toEqual([
    ['AAA', 0],
    ['BBB', 1],
  ])
  expect([...airports.latitudes, ...airports.longitudes]).toEqual([1.5, -90, -2, 180])
})

describe('refuses, naming line and field,', () => {
  test.each([
    [['code,latitude,longitude', 'AAA,1,2'], 'BROKEN_FILE', "no column 'iata'"],
    [[''], 'BROKEN_FILE', "no column 'iata'"],
    [[HEADER, 'AAA,,,,,1'], 'BROKEN_RECORD', "airports.csv line 2 (AAA): longitude is ''"],
    [[HEADER, 'AAA,,,,,north,2'], 'BROKEN_RECORD', "airports.csv line 2 (AAA): latitude is 'north'"],
    [[HEADER, 'AAA,,,,,NaN,2'], 'BROKEN_RECORD', "latitude is 'NaN'"],
    [[HEADER, 'AAA,,,,,1,2', 'BBB,,,,,91,2'], 'BROKEN_RECORD', "line 3 (BBB): latitude is '91'"],
    [[HEADER, 'AAA,,,,,1,2', 'AAA,,,,,1,2'], 'BROKEN_RECORD', "line 3: iata 'AAA' stands twice"],
    [[HEADER, ',,,,,1,2'], 'BROKEN_RECORD', 'line 2: iata is empty'],
  ])('%j', async (lines, code, message) => {
    const error: unknown = await readAirports(csv(...lines)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DeskError)
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) })
  })
})
