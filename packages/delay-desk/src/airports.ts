import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { DeskError, reasonOf } from './errors.ts'

/** The airports of the file, as columns in its order. */
export interface Airports {
  /** The place of an airport in the columns, by its IATA code. */
  readonly indexes: ReadonlyMap<string, number>
  /** Degrees north. */
  readonly latitudes: Float64Array
  /** Degrees east. */
  readonly longitudes: Float64Array
}

const LIMIT = 65_536

/** Reads a CSV file with the columns `iata`, `latitude` and `longitude` (RFC 4180, no line breaks inside fields). */
export async function readAirports(path: string): Promise<Airports> {
  const file = basename(path)
  const lines = (await textOf(path)).split(/\r?\n/)
  while (lines.at(-1) === '') lines.pop()
  const header = fieldsOf(lines[0] ?? '')
  const [code, latitude, longitude] = ['iata', 'latitude', 'longitude'].map((column) => {
    const index = header.indexOf(column)
    if (index < 0) throw new DeskError('BROKEN_FILE', `${path}: no column '${column}' in the first line`)
    return index
  })
  const count = lines.length - 1
  if (count > LIMIT) throw new DeskError('BROKEN_FILE', `${path}: ${count} airports, the desk takes ${LIMIT}`)

  const indexes = new Map<string, number>()
  const latitudes = new Float64Array(count)
  const longitudes = new Float64Array(count)
  for (let index = 0; index < count; index++) {
    const line = index + 2
    const fields = fieldsOf(lines[index + 1] ?? '')
    const iata = fields[code ?? 0] ?? ''
    if (iata === '') throw new DeskError('BROKEN_RECORD', `${file} line ${line}: iata is empty`)
    if (indexes.has(iata))
      throw new DeskError('BROKEN_RECORD', `${file} line ${line}: iata '${iata}' stands twice`)
    indexes.set(iata, index)
    latitudes[index] = degrees(fields[latitude ?? 0], 90, `${file} line ${line} (${iata}): latitude`)
    longitudes[index] = degrees(fields[longitude ?? 0], 180, `${file} line ${line} (${iata}): longitude`)
  }
  return { indexes, latitudes, longitudes }
}

/** The text of a file, or a `MISSING_FILE` that says why it cannot be read. */
export async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new DeskError('MISSING_FILE', `${path}: cannot be read (${reasonOf(error)})`, { cause: error })
  }
}

function degrees(field: string | undefined, limit: number, what: string): number {
  const value = field === undefined || field.trim() === '' ? Number.NaN : Number(field)
  if (Math.abs(value) <= limit) return value
  throw new DeskError(
    'BROKEN_RECORD',
    `${what} is '${field ?? ''}', expected degrees from -${limit} to ${limit}`,
  )
}

/** One CSV line: fields between commas, those with commas in quotes, a quote doubled inside quotes. */
function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
  )
}
