import { readFile } from 'node:fs/promises'
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

// The second count. It imports nothing of the desk, reads the files itself and decides by other formulas, so that a fault
// of the desk is not repeated here. It may therefore assume that the files are sound: the desk has refused broken ones.

/** A point on the unit sphere. */
type Point = readonly [x: number, y: number, z: number]

/** What each flight of the file is owed, in euros, by its place in the file. */
export async function audit(
  flights: string,
  airports: string,
  limit: number = Infinity,
): Promise<Uint16Array> {
  const points = pointsOf(await readFile(airports, 'utf8'))
  if (flights.endsWith('.json')) {
    const rows: { delay: number; origin: string; destination: string }[] = JSON.parse(
      await readFile(flights, 'utf8'),
    )
    return Uint16Array.from(rows.slice(0, limit), (row) =>
      owed(row.delay, points, row.origin, row.destination),
    )
  }
  const file = await asyncBufferFromFile(flights)
  const metadata = await parquetMetadataAsync(file)
  const amounts = new Uint16Array(Math.min(limit, Number(metadata.num_rows)))
  const columns = ['delay', 'origin', 'destination']
  let rowEnd = 0
  for (const group of metadata.row_groups) {
    const rowStart = rowEnd
    rowEnd = Math.min(rowStart + Number(group.num_rows), amounts.length)
    if (rowStart === rowEnd) break
    const onComplete = (rows: unknown[][]): void => {
      for (const [at, [delay, origin, destination]] of rows.entries()) {
        amounts[rowStart + at] = owed(Number(delay), points, String(origin), String(destination))
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
  return amounts
}

/** The rule as a sum of steps: each threshold that is passed adds what the next award has more than the one below. */
function owed(
  minutes: number,
  points: ReadonlyMap<string, Point>,
  origin: string,
  destination: string,
): number {
  let sum = 0
  if (minutes >= 60) sum += 15
  if (minutes >= 120) sum += 15
  if (minutes < 180) return sum
  const metres = arc(points.get(origin), points.get(destination)) * 6_371_008.8
  return sum + 220 + (metres > 1_500_000 ? 150 : 0) + (metres > 3_500_000 ? 200 : 0)
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
