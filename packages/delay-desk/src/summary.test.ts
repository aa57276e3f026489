import { expect, test } from 'vitest'
import { reconcile } from './reconciliation.ts'
import { type Outcome, succeeded, summarize } from './summary.ts'

const owed = Uint16Array.of(0, 15)

function outcome(payments: readonly [number, number][], strayed: number[]): Outcome {
  return {
    reconciliation: reconcile(payments, owed, owed),
    statement: { paid: payments.length, replayed: 0, payments },
    claims: 2,
    workers: 3,
    tableSize: 7,
    shares: [0, 1],
    moves: strayed.map((stray, at) => ({
      lost: [`worker-${at + 1}`],
      back: [],
      owned: 1,
      moved: 1,
      collateral: 4,
      strayed: stray,
      slots: { changed: 2, ideal: 2 },
    })),
    findings: [{ worker: 'worker-1', by: 'probes', afterMs: 300.2 }],
    pool: { rebuilds: strayed.length, probes: 17, probeFailures: 3, ejections: 0 },
    seconds: 1,
    memory: { own: 1, together: 0 },
  }
}

test.each([
  ['all is paid and nothing moved', outcome([[1, 15]], []), true, /Both totals agree/],
  ['all is paid and no claim strayed', outcome([[1, 15]], [0, 0]), true, /Both totals agree/],
  [
    'a claim of a worker that was there moved',
    outcome([[1, 15]], [0, 1]),
    false,
    /1 CLAIMS OF WORKERS THAT WERE THERE MOVED/,
  ],
  ['a claim is not paid', outcome([], [0]), false, /THE TOTALS DO NOT AGREE: 1 of 2 claims differ/],
])('%s', (_, found, good, text) => {
  expect(succeeded(found)).toBe(good)
  expect(summarize(found).join('\n')).toMatch(text)
})

test('shows how the pool found out', () => {
  expect(summarize(outcome([[1, 15]], [0])).join('\n')).toMatch(
    /pool +17 probes, 3 failed; ejections by outlier detection: 0\n +worker-1 found missing by probes 301 ms later/,
  )
})
