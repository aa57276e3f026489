import { readFile } from 'node:fs/promises'
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

// The second count. It imports nothing of the desk, reads the files itself and decides by other formulas, so that a fault
// of the desk is not repeated here. It may therefore assume that the files are sound: the desk has refused broken ones.

/** A rule of the policy: what a delay of at least so many minutes earns beyond so many kilometres. */
interface Rule {
  readonly delay: number
  readonly beyond: number
  readonly amount: number
}

/** A point on the unit sphere. */
type Point = readonly [x: number, y: number, z: number]

/** What was counted, by the flight's place in the file. */
export interface SecondCount {
  readonly owed: Uint16Array
  /** Where the flight began: a place in `codes`. */
  readonly origins: Uint16Array
  readonly codes: readonly string[]
}

/** What each flight of the file is owed by the rules, in whatever order they are, and where it began. */
export async function audit(
  flights: string,
  airports: string,
  rules: readonly Rule[],
  limit: number | null = null,
): Promise<SecondCount> {
  const points = pointsOf(await readFile(airports, 'utf8'))
  if (flights.endsWith('.json')) {
    const rows: { delay: number; origin: string; destination: string }[] = JSON.parse(
      await readFile(flights, 'utf8'),
    )
    const counted = new Count(Math.min(limit ?? Infinity, rows.length))
    for (const [at, row] of rows.slice(0, counted.owed.length).entries())
      counted.set(at, row.origin, owed(rules, row.delay, points, row.origin, row.destination))
    return counted
  }
  const file = await asyncBufferFromFile(flights)
  const metadata = await parquetMetadataAsync(file)
  const counted = new Count(Math.min(limit ?? Infinity, Number(metadata.num_rows)))
  const columns = ['delay', 'origin', 'destination']
  let rowEnd = 0
  for (const group of metadata.row_groups) {
    const rowStart = rowEnd
    rowEnd = Math.min(rowStart + Number(group.num_rows), counted.owed.length)
    if (rowStart === rowEnd) break
    const onComplete = (rows: unknown[][]): void => {
      for (const [at, [delay, origin, destination]] of rows.entries()) {
        const amount = owed(rules, Number(delay), points, String(origin), String(destination))
        counted.set(rowStart + at, String(origin), amount)
      }
    }
    await parquetRead({
      file,
      metadata,
      compressors,
      columns,
      rowStart,
      rowEnd,
      rowFormat: 'array',
      onComplete,
    })
  }
  return counted
}

class Count implements SecondCount {
  readonly owed: Uint16Array
  readonly origins: Uint16Array
  readonly #places = new Map<string, number>()

  constructor(length: number) {
    this.owed = new Uint16Array(length)
    this.origins = new Uint16Array(length)
  }

  get codes(): string[] {
    return [...this.#places.keys()]
  }

  set(at: number, origin: string, amount: number): void {
    const place = this.#places.get(origin) ?? this.#places.size
    this.#places.set(origin, place)
    this.origins[at] = place
    this.owed[at] = amount
  }
}

/** The most that any rule gives: of those for the delay, the ones whose distance is less than the flight's. */
function owed(
  rules: readonly Rule[],
  minutes: number,
  points: ReadonlyMap<string, Point>,
  origin: string,
  destination: string,
): number {
  const late = rules.filter(({ delay }) => minutes >= delay)
  if (late.length === 0) return 0
  const metres = arc(points.get(origin), points.get(destination)) * 6_371_008.8
  return Math.max(...late.map(({ beyond, amount }) => (beyond === 0 || metres > beyond * 1000 ? amount : 0)))
}

/** The angle between two points, in radians, from their cross and dot product. */
function arc(a: Point | undefined, b: Point | undefined): number {
  if (a === undefined || b === undefined) return Number.NaN
  const [ax, ay, az] = a
  const [bx, by, bz] = b
  return Math.atan2(
    Math.hypot(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx),
    ax * bx + ay * by + az * bz,
  )
}

/** Airports by code: the first field of each line, and the last two, which hold latitude and longitude. */
function pointsOf(csv: string): Map<string, Point> {
  const points = new Map<string, Point>()
  for (const [, code = '', latitude, longitude] of csv.matchAll(/^([^,\n]+),.*,([-.\d]+),([-.\d]+)\r?$/gm)) {
    const polar = ((90 - Number(latitude)) / 180) * Math.PI
    const azimuth = (Number(longitude) / 180) * Math.PI
    points.set(code, [
      Math.sin(polar) * Math.cos(azimuth),
      Math.sin(polar) * Math.sin(azimuth),
      Math.cos(polar),
    ])
  }
  return points
}
