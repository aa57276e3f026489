import { expect, test } from 'vitest'
import { HarnessError } from '../errors.ts'
import type { ComparisonResult, Measured } from './compare.ts'
import { formatTable, tableOf } from './table.ts'

function measured(name: string, ns: number, ratio: number, heapBytes?: number): Measured {
  const around = (median: number) => ({ median, p25: median * 0.9, p75: median * 1.1 })
  return { name, nsPerCall: around(ns), ratio: around(ratio), heapBytes, rssBytes: 1, allocatedPerCall: 64 }
}

const result: ComparisonResult = {
  work: 'lookup',
  baseline: 'ours',
  rounds: 3,
  order: [],
  measured: [
    measured('slow', 2_500_000, 2500, 5 * 1024 ** 2),
    measured('ours', 1000, 1, 2048),
    measured('fast', 12.345, 0.0123),
  ],
  failed: [{ name: 'gone', error: new HarnessError('SUBJECT_FAILED', 'gone broke down') }],
}

test('the fastest stands first, also ahead of ours, and the failures last', () => {
  expect(tableOf(result)).toEqual({
    columns: ['subject', 'per call', 'quartiles', 'time over ours', 'memory', 'allocated per call'],
    rows: [
      ['fast', '12.3 ns', '11.1 ns to 13.6 ns', '0.0123 (0.0111 to 0.0135)', 'unknown', '64 B'],
      ['ours', '1 µs', '900 ns to 1.1 µs', '1', '2 KiB', '64 B'],
      ['slow', '2.5 ms', '2.25 ms to 2.75 ms', '2500 (2250 to 2750)', '5 MiB', '64 B'],
      ['gone', 'failed', 'gone broke down', '', '', ''],
    ],
  })
})

test('the printed columns are aligned, without trailing blanks', () => {
  const [title, ...lines] = formatTable(result).split('\n')
  expect(title).toBe('lookup, 3 rounds')
  const starts = lines
    .slice(0, 4)
    .map((line) => [line.search(/per call|\d+.?\d* (ns|µs|ms)/), line === line.trimEnd()])
  expect(starts).toEqual(Array.from({ length: 4 }, () => [9, true]))
})
