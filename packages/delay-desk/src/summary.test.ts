import { expect, test } from 'vitest'
import { reconcile } from './reconciliation.ts'
import { type Outcome, succeeded, summarize } from './summary.ts'

const owed = Uint16Array.of(0, 15)

function outcome(payments: readonly [number, number][], strayed: number[]): Outcome {
  return {
    configured: { configs: ['config', 'scenario/calm'], overrides: ['seed=7'], digest: 'a'.repeat(64) },
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
    calls: {
      records: { made: 1200, failed: 5, opened: 2, shortCircuited: 31, fallbacks: 36 },
      bank: { made: 80, failed: 3, opened: 1, shortCircuited: 0, fallbacks: 0 },
    },
    currency: 'euros',
    breaker: true,
    seconds: 1,
    settling: 0.5,
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

test('shows what became of the calls to the services', () => {
  const found = outcome([[1, 15]], [])
  const text = summarize(found).join('\n')
  expect(text).toContain(
    'breaker  records: 1,200 calls made, 5 failed; circuits opened: 2, calls short-circuited: 31, fallbacks used: 36\n',
  )
  expect(text).toContain(
    '           bank: 80 calls made, 3 failed; circuits opened: 1, calls short-circuited: 0\n',
  )
  expect(text).not.toContain('breaker=off')
  expect(summarize({ ...found, breaker: false }).join('\n')).toContain(
    'circuits were disabled: desk.breaker=false',
  )
})
