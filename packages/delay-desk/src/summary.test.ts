import { expect, test } from 'vitest'
import { type Disagreement, type Payment, reconcile } from './reconciliation.ts'
import { listed, type Outcome, succeeded, summarize } from './summary.ts'

const owed = Uint16Array.of(0, 15)

function outcome(
  ledger: readonly Payment[],
  strayed: number[],
  unexplained: readonly Disagreement[] = [],
): Outcome {
  const bookings = ledger.map(([claim, amount]) => ({ claim, amount, transfer: `tr_${claim}` }))
  return {
    configured: { configs: ['config', 'scenario/calm'], overrides: ['seed=7'], digest: 'a'.repeat(64) },
    reconciliation: reconcile({ ledger, bookings, reported: owed, owed }),
    access: {
      asked: 23_456,
      denied: 1208,
      deniedTo: { see: 1100, approve: 88, pay: 20 },
      p50: 7.61,
      p99: 1042,
      wrong: 0,
      first: [],
      explained: 'person:tom may not pay claim:1 at 21:30: blocked by his approval',
    },
    closed: { ledger, bookings, uncertain: { before: 3, paid: 2, after: 0 }, unexplained },
    deaths: 2,
    payments: { replayed: 14, replayedByBank: 7 },
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
  [
    'books differed and nobody had said so',
    outcome([[1, 15]], [], [{ claim: 1, paidByBank: true, text: 'claim 1: all wrong' }]),
    false,
    /LEDGER AND BOOKS DIFFERED[^]*\n    not uncertain: claim 1: all wrong\n/,
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

test('shows what became of the payments', () => {
  const text = summarize(outcome([[1, 15]], [])).join('\n')
  expect(text).toContain(
    "payments 1 in the bank's ledger, 1 in the desk's books; asked again: 14 answered by the desk's records, 7 by the bank's\n",
  )
  expect(text).toContain(
    '           uncertain: 3 before reconcile (2 of them paid by the bank), 0 after; deaths of the bank: 2\n',
  )
})

test('shows who was denied, and how fast', () => {
  const found = outcome([[1, 15]], [])
  expect(summarize(found).join('\n')).toContain(
    '  access   23,456 checks of who may, p50 7.6 µs, p99 1,042 µs; denied: 1,208 (1,100 to see, 88 to approve, 20 to pay), and another was asked\n           person:tom may not pay claim:1 at 21:30: blocked by his approval\n',
  )
  const wrong = {
    ...found,
    access: { ...found.access, wrong: 12, first: ['claim 1: person:x was let see it'] },
  }
  expect(succeeded(wrong)).toBe(false)
  expect(summarize(wrong).join('\n')).toContain(
    '  12 DECISIONS ARE NOT AS THE ROSTER HAS THEM:\n    claim 1: person:x was let see it\n    and 11 more\n',
  )
})

test('lists the first five of those that differ', () => {
  const many = Array.from({ length: 8 }, (_, claim) => ({ claim, paidByBank: true, text: `claim ${claim}` }))
  const lines = listed(many, 'uncertain')
  expect(lines).toHaveLength(6)
  expect([lines[0], lines[5]]).toEqual(['    uncertain: claim 0', '    and 3 more'])
})
