/** What the specification wants of a figure (its section 10), and what was measured. */
export interface Target {
  readonly item: number
  readonly what: string
  readonly wanted: string
  readonly measured: string
  readonly isMet: boolean
}

/** Says what was measured, also to the process that started this one. */
export function tell(target: Target): void {
  const { item, what, wanted, measured, isMet } = target
  process.stdout.write(
    `item ${item}: ${what}: ${measured} (wanted: ${wanted}): ${isMet ? 'MET' : 'NOT MET'}\n`,
  )
  process.send?.(target)
}

/** What {@link tell} of another process said. */
export function isTarget(message: unknown): message is Target {
  return typeof message === 'object' && message !== null && 'item' in message && 'isMet' in message
}

/** A row of the table of what was timed: workload, subject, microseconds of the median and of p99, times the first. */
export type Row = readonly string[]

/** Says a row, also to the process that started this one. */
export function tellRow(row: Row): void {
  process.stdout.write(`${row.join(' | ')}\n`)
  process.send?.(row)
}

/** What {@link tellRow} of another process said. */
export function isRow(message: unknown): message is Row {
  return Array.isArray(message) && message.every((cell) => typeof cell === 'string')
}

/** The part of them below which `part` of the numbers are. */
export function percentile(numbers: readonly number[], part: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
