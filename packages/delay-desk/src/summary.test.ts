import { expect, test } from 'vitest'
import { reconcile } from './reconciliation.ts'
import { type Outcome, succeeded, summarize } from './summary.ts'

const owed = Uint16Array.of(0, 15)

function outcome(payments: readonly [number, number][], collateral: number[]): Outcome {
  return {
    reconciliation: reconcile(payments, owed, owed),
    statement: { paid: payments.length, replayed: 0, payments },
    claims: 2,
    workers: 3,
    tableSize: 7,
    rebuilds: collateral.length,
    shares: [0, 1],
    moves: collateral.map((stray, at) => ({
      worker: `worker-${at + 1}`,
      owned: 1,
      moved: 1,
      collateral: stray,
      slots: { changed: 2, ideal: 2, collateral: 0 },
    })),
    seconds: 1,
    memory: { own: 1, together: 0 },
  }
}

test.each([
  ['all is paid and nothing moved', outcome([[1, 15]], []), true, /Both totals agree/],
  ['all is paid and the first loss moved no others', outcome([[1, 15]], [0, 4]), true, /Both totals agree/],
  ['a claim of another worker moved', outcome([[1, 15]], [1]), false, /1 CLAIMS OF OTHER WORKERS MOVED/],
  ['a claim is not paid', outcome([], [0]), false, /THE TOTALS DO NOT AGREE: 1 of 2 claims differ/],
])('%s', (_, found, good, text) => {
  expect(succeeded(found)).toBe(good)
  expect(summarize(found).join('\n')).toMatch(text)
})
