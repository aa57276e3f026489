import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { flightsFile, newFolder, removeFolders } from '../test/folders.ts'
import { type Airports, readAirports } from './airports.ts'
import { dataset } from './configuration.ts'
import { DeskError } from './errors.ts'
import { type FlightFile, readFlights } from './flights.ts'

afterAll(removeFolders)

let airports: Airports
beforeAll(async () => {
  airports = await readAirports(dataset('airports.csv'))
})

const failure = (file: FlightFile): Promise<unknown> =>
  readFlights(file, airports).catch((error: unknown) => error)

test('reads the columns of the 20,000 flights', async () => {
  const path = dataset('flights-20k.json')
  const flights = await readFlights({ path }, airports)
  const rows = JSON.parse(readFileSync(path, 'utf8')) as {
    delay: number
    origin: string
    destination: string
  }[]
  expect(flights.count).toBe(20_000)
  expect([...flights.delays]).toEqual(rows.map((row) => row.delay))
  expect([...flights.origins]).toEqual(rows.map((row) => airports.indexes.get(row.origin)))
  expect([...flights.destinations]).toEqual(rows.map((row) => airports.indexes.get(row.destination)))
})

test('reads no more than the limit, of a row group too', async () => {
  const steps: number[] = []
  const path = dataset('flights-3m.parquet')
  const flights = await readFlights({ path, limit: 1000 }, airports, (done) => steps.push(done))
  expect(flights.count).toBe(1000)
  expect(steps).toEqual([1000])
  // The first three flights of the large file: LAS-PHL, ATL-SAV, MCI-MDW.
  expect([...flights.delays.subarray(0, 3)]).toEqual([33, 19, 14])
  expect([...flights.origins.subarray(0, 3)]).toEqual(
    ['LAS', 'ATL', 'MCI'].map((code) => airports.indexes.get(code)),
  )
  expect([...flights.destinations.subarray(0, 3)]).toEqual(
    ['PHL', 'SAV', 'MDW'].map((code) => airports.indexes.get(code)),
  )
})

describe('refuses, naming file, record and field,', () => {
  test.each([
    [{ delay: undefined }, 'delay is missing, expected a whole number of minutes'],
    [{ delay: null }, 'delay is missing'],
    [{ delay: '66' }, 'delay is "66", expected a whole number of minutes'],
    [{ delay: 66.5 }, 'delay is 66.5'],
    [{ delay: 1e300 }, 'delay is 1e+300'],
    [{ delay: [66] }, 'delay is [66]'],
    [{ distance: undefined }, 'distance is missing'],
    [{ distance: -1 }, 'distance is -1, expected a number of miles'],
    [{ date: 20010101 }, 'date is 20010101, expected a date'],
    [{ origin: 'XXX' }, 'origin is "XXX", expected an airport of the airports file'],
    [{ origin: '__proto__' }, 'origin is "__proto__", expected an airport'],
    [{ destination: 7 }, 'destination is 7, expected the IATA code'],
    [{ destination: 'x'.repeat(1000) }, `destination is "${'x'.repeat(59)}…`],
    [null, 'the record is missing, expected an object'],
    [5, 'the record is 5, expected an object'],
  ])('%j', async (record, message) => {
    const error = await failure({ path: flightsFile([{}, {}, record, {}]) })
    expect(error).toBeInstanceOf(DeskError)
    expect(error).toMatchObject({
      code: 'BROKEN_RECORD',
      message: expect.stringContaining(`flights.json record 2 (the first is 0): ${message}`),
    })
  })

  test('a field that only the prototype has', async () => {
    const path = flightsFile([])
    writeFileSync(
      path,
      '[{"__proto__":{"delay":66},"date":"d","distance":1,"origin":"DTW","destination":"LAS"}]',
    )
    expect(await failure({ path })).toMatchObject({ code: 'BROKEN_RECORD' })
  })

  test.each([
    ['{"flights":[]}', 'expected an array of flights'],
    ['[]', 'holds no flights'],
    ['', 'not JSON'],
    ['\uFFFE\u0000', 'not JSON'],
    ['['.repeat(100_000), 'not JSON'],
  ])('a file of %s', async (text, message) => {
    const path = flightsFile([])
    writeFileSync(path, text)
    expect(await failure({ path })).toMatchObject({
      code: 'BROKEN_FILE',
      message: expect.stringContaining(message),
    })
  })

  test('Parquet that is cut short, damaged, something else or a folder', async () => {
    const whole = readFileSync(dataset('flights-3m.parquet'))
    const path = join(newFolder(), 'cut.parquet')
    const refused = async (bytes: Uint8Array): Promise<void> => {
      writeFileSync(path, bytes)
      expect(await failure({ path, limit: 1000 })).toMatchObject({
        code: 'BROKEN_FILE',
        message: expect.stringContaining('cut.parquet: not Parquet that can be read'),
      })
    }
    for (const length of [0, 3, 12, 1000, whole.length / 2, whole.length - 1])
      await refused(whole.subarray(0, length))
    await refused(Buffer.from('date,delay,distance\n'))
    expect(await failure({ path: join(path, '..') + '/.parquet' })).toMatchObject({ code: 'MISSING_FILE' })
  })
})
