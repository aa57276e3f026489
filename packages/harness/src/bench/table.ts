import type { ComparisonResult, Spread } from './compare.ts'

export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** The result as rows of text, the fastest subject first, those that broke down at the end. */
export function tableOf({ baseline, measured, failed }: ComparisonResult): Table {
  const rows = measured
    .toSorted((a, b) => a.nsPerCall.median - b.nsPerCall.median)
    .map(({ name, nsPerCall, ratio, heapBytes, allocatedPerCall }) => [
      name,
      time(nsPerCall.median),
      `${time(nsPerCall.p25)} to ${time(nsPerCall.p75)}`,
      name === baseline ? '1' : times(ratio),
      bytes(heapBytes),
      bytes(allocatedPerCall),
    ])
  return {
    columns: ['subject', 'per call', 'quartiles', `time over ${baseline}`, 'memory', 'allocated per call'],
    rows: [...rows, ...failed.map(({ name, error }) => [name, 'failed', error.message, '', '', ''])],
  }
}

/** The result for a terminal, one aligned line for each subject. */
export function formatTable(result: ComparisonResult): string {
  const { columns, rows } = tableOf(result)
  const lines = [columns, ...rows]
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)))
  const text = lines.map((line) =>
    line
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [`${result.work}, ${result.rounds} rounds`, ...text].join('\n')
}

function time(ns: number): string {
  if (ns < 1e3) return `${significant(ns)} ns`
  if (ns < 1e6) return `${significant(ns / 1e3)} µs`
  return ns < 1e9 ? `${significant(ns / 1e6)} ms` : `${significant(ns / 1e9)} s`
}

function times({ median, p25, p75 }: Spread): string {
  return `${significant(median)} (${significant(p25)} to ${significant(p75)})`
}

function bytes(count: number | undefined): string {
  if (count === undefined) return 'unknown'
  const size = Math.abs(count)
  if (size < 1024) return `${significant(count)} B`
  return size < 1024 ** 2 ? `${significant(count / 1024)} KiB` : `${significant(count / 1024 ** 2)} MiB`
}

function significant(value: number): string {
  return value >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)))
}
