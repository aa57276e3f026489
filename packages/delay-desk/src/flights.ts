import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { asyncBufferFromFile, parquetScan } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { type Airports, textOf } from './airports.ts'
import { DeskError, reasonOf } from './errors.ts'

/** Which flights to read: a file, and the number of records from its start where not all. */
export interface FlightFile {
  readonly path: string
  /** Flights to read of it; null for all. */
  readonly limit?: number | null
}

/** The flights as columns: row n is claim n. */
export interface Flights {
  readonly count: number
  /** Arrival delay in minutes; negative is early. */
  readonly delays: Int32Array
  /** Place of the airport in `Airports`. */
  readonly origins: Uint16Array
  readonly destinations: Uint16Array
}

const LIMIT = 50_000_000

/** The desk decides by three; a file without the others is broken all the same. Parquet's dates are not read further. */
const FIELDS = ['date', 'delay', 'distance', 'origin', 'destination'] as const

/**
 * Reads flights from JSON (an array of records) or Parquet (row group by row group, never as row objects).
 *
 * @param onProgress told the records read so far and their number
 * @throws DeskError that names the file, the record (from 0) and the field at fault
 */
export async function readFlights(
  { path, limit }: FlightFile,
  airports: Airports,
  onProgress: (done: number, count: number) => void = () => {},
): Promise<Flights> {
  const flights = path.endsWith('.parquet')
    ? await readParquet(path, limit, airports, onProgress)
    : readJson(await textOf(path), path, limit, airports)
  if (flights.count === 0) throw new DeskError('BROKEN_FILE', `${path}: holds no flights`)
  return flights
}

function readJson(text: string, path: string, limit: number | null | undefined, airports: Airports): Flights {
  let records: unknown
  try {
    records = JSON.parse(text)
  } catch (error) {
    throw new DeskError('BROKEN_FILE', `${path}: not JSON (${reasonOf(error)})`, { cause: error })
  }
  if (!Array.isArray(records)) throw new DeskError('BROKEN_FILE', `${path}: expected an array of flights`)
  const columns = new Columns(basename(path), Math.min(records.length, limit ?? records.length), airports)
  for (let row = 0; row < columns.count; row++) {
    const record: unknown = records[row]
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw columns.broken(row, 'the record', record, 'an object')
    }
    const [date, delay, distance, origin, destination] = FIELDS.map((field) =>
      Object.hasOwn(record, field) ? (Reflect.get(record, field) as unknown) : undefined,
    )
    if (typeof date !== 'string') throw columns.broken(row, 'date', date, 'a date')
    columns.set(row, delay, distance, origin, destination)
  }
  return columns
}

async function readParquet(
  path: string,
  limit: number | null | undefined,
  airports: Airports,
  onProgress: (done: number, count: number) => void,
): Promise<Flights> {
  try {
    if (!(await stat(path)).isFile()) throw new Error('not a file')
  } catch (error) {
    throw new DeskError('MISSING_FILE', `${path}: cannot be read (${reasonOf(error)})`, { cause: error })
  }
  try {
    const scan = await parquetScan({
      file: await asyncBufferFromFile(path),
      columns: [...FIELDS],
      compressors,
    })
    const rows = Number(scan.metadata.num_rows)
    const columns = new Columns(basename(path), Math.min(rows, limit ?? rows), airports)
    for (const range of scan.ranges) {
      const rowStart = range.rowStart
      const rowEnd = Math.min(range.rowEnd, columns.count)
      if (rowStart >= rowEnd) break
      const read = (column: string): Promise<ArrayLike<unknown>> =>
        scan.readColumn({ column, rowStart, rowEnd })
      const delays = await read('delay')
      const distances = await read('distance')
      const origins = await read('origin')
      const destinations = await read('destination')
      for (let row = rowStart, at = 0; row < rowEnd; row++, at++) {
        columns.set(row, delays[at], distances[at], origins[at], destinations[at])
      }
      onProgress(rowEnd, columns.count)
    }
    return columns
  } catch (error) {
    if (error instanceof DeskError) throw error
    throw new DeskError('BROKEN_FILE', `${path}: not Parquet that can be read (${reasonOf(error)})`, {
      cause: error,
    })
  }
}

class Columns implements Flights {
  readonly count: number
  readonly delays: Int32Array
  readonly origins: Uint16Array
  readonly destinations: Uint16Array
  readonly #file: string
  readonly #airports: ReadonlyMap<string, number>

  constructor(file: string, count: number, airports: Airports) {
    if (!(count <= LIMIT))
      throw new DeskError('BROKEN_FILE', `${file}: ${count} flights, the desk takes ${LIMIT}`)
    this.count = count
    this.delays = new Int32Array(count)
    this.origins = new Uint16Array(count)
    this.destinations = new Uint16Array(count)
    this.#file = file
    this.#airports = airports.indexes
  }

  set(row: number, delay: unknown, distance: unknown, origin: unknown, destination: unknown): void {
    this.delays[row] = this.#minutes(row, delay)
    // Not used in deciding (README: two distances), but a flight without its distance is half a record.
    const miles = typeof distance === 'bigint' ? Number(distance) : distance
    if (typeof miles !== 'number' || !(miles >= 0) || miles === Infinity) {
      throw this.broken(row, 'distance', distance, 'a number of miles')
    }
    this.origins[row] = this.#airport(row, 'origin', origin)
    this.destinations[row] = this.#airport(row, 'destination', destination)
  }

  broken(row: number, field: string, value: unknown, expected: string): DeskError {
    return new DeskError(
      'BROKEN_RECORD',
      `${this.#file} record ${row} (the first is 0): ${field} is ${shown(value)}, expected ${expected}`,
    )
  }

  #minutes(row: number, value: unknown): number {
    const minutes = typeof value === 'bigint' ? Number(value) : value
    if (typeof minutes !== 'number' || (minutes | 0) !== minutes) {
      throw this.broken(row, 'delay', value, 'a whole number of minutes')
    }
    return minutes
  }

  #airport(row: number, field: string, value: unknown): number {
    if (typeof value !== 'string') throw this.broken(row, field, value, 'the IATA code of an airport')
    const index = this.#airports.get(value)
    if (index === undefined) throw this.broken(row, field, value, 'an airport of the airports file')
    return index
  }
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'missing'
  const text = typeof value === 'bigint' ? String(value) : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
