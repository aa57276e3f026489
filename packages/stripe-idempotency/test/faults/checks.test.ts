import { expect, test } from 'vitest'
import { type Asked, type BankEntry, type Entry, type Invariant, type Seen, violationsOf } from './checks.ts'

const circumstances = { retention: 1000, transactional: true }
const memo = (tenant: string): string => `for ${tenant} alone`

function asked(tenant: string): Asked {
  const answer = `{"memo":"${memo(tenant)}"}`
  return {
    tenant,
    key: 'k',
    amount: 5,
    to: 'bank',
    memo: memo(tenant),
    answers: [answer, answer],
    refusals: ['{"code":"in_use"}'],
  }
}

function entry(tenant: string, kind: string, fence = 1): Entry {
  return { tenant, key: 'k', kind, amount: 5, fence }
}

function bankEntry(tenant: string, kind: BankEntry['kind'], at = 0): BankEntry {
  return { kind, tenant, reference: 'k', amount: 5, fence: 1, at }
}

/** Two tenants with one transfer each, as it should be. */
const right: Seen = {
  asked: [asked('a'), asked('b')],
  ledger: [entry('a', 'debit'), entry('b', 'debit'), entry('a', 'done', 2), entry('b', 'done')],
  before: 100,
  after: 90,
  bank: [
    bankEntry('a', 'call'),
    bankEntry('a', 'credit'),
    bankEntry('a', 'call', 999),
    bankEntry('b', 'call'),
    bankEntry('b', 'credit'),
  ],
  open: [],
  doubts: [],
}

test('nothing is found where all is well', () => {
  expect(violationsOf(right, circumstances)).toEqual([])
  // What was never begun, and never answered, is well too.
  const never: Asked = { ...asked('a'), key: 'never', answers: [] }
  expect(violationsOf({ ...right, asked: [...right.asked, never] }, circumstances)).toEqual([])
})

const doubt = { tenant: 'a', key: 'k', why: 'nobody knows', phase: 'credited', askedSince: 950 }

test('a doubt with a reason is none', () => {
  expect(violationsOf({ ...right, doubts: [doubt] }, circumstances)).toEqual([])
  for (const phase of ['debited', 'handler']) {
    const local = { ...doubt, phase, askedSince: null }
    expect(violationsOf({ ...right, doubts: [local] }, { ...circumstances, transactional: false })).toEqual(
      [],
    )
  }
})

const told = (also: Partial<Asked>): Partial<Seen> => ({ asked: [{ ...asked('a'), ...also }, asked('b')] })

test.each<[Invariant, string, Partial<Seen>]>([
  ['I1', 'money is lost', { after: 89 }],
  ['I1', 'money is made', { after: 91 }],
  ['I2', 'it is debited twice', { ledger: [...right.ledger, entry('b', 'debit')] }],
  ['I2', 'it is done twice', { ledger: [...right.ledger, entry('b', 'done')] }],
  ['I2', 'it is answered and not done', { ledger: right.ledger.slice(0, 3) }],
  ['I3', 'the bank credits twice', { bank: [...right.bank, bankEntry('a', 'credit')] }],
  ['I3', 'the bank never credits', { bank: right.bank.slice(0, 3) }],
  [
    'I3',
    'the bank credits what was not debited',
    { ledger: right.ledger.slice(1), asked: [{ ...asked('a'), answers: [] }, asked('b')] },
  ],
  [
    'I3',
    'the bank is asked once it may have forgotten',
    { bank: [...right.bank, bankEntry('a', 'call', 1000)] },
  ],
  ['I3', 'the bank hears of what is none of its business', told({ to: 'savings' })],
  ['I4', 'answers differ by a byte', told({ answers: [...asked('a').answers, `${asked('a').answers[0]} `] })],
  ['I5', 'a record stays claimed', { open: [{ tenant: 'a', state: 'claimed', why: null }] }],
  ['I5', 'a record stays uncertain', { open: [{ tenant: 'a', state: 'uncertain', why: 'so' }] }],
  ['I5', 'the bank could have been asked', { doubts: [{ ...doubt, askedSince: 949 }] }],
  [
    'I5',
    'a transaction covers what is in doubt',
    { doubts: [{ ...doubt, phase: 'done', askedSince: null }] },
  ],
  ['I5', 'no phase is in doubt', { doubts: [{ ...doubt, phase: undefined, askedSince: null }] }],
  [
    'I6',
    'one who was overtaken writes',
    { ledger: [entry('a', 'debit', 2), entry('b', 'debit'), entry('a', 'done'), entry('b', 'done')] },
  ],
  ['I7', 'an answer is of another tenant', told({ answers: [asked('b').answers[0] ?? ''] })],
  ['I7', 'a refusal tells of another tenant', told({ refusals: [`{"code":"${memo('b')}"}`] })],
])('%s: %s', (invariant, _, wrong) => {
  const found = violationsOf({ ...right, ...wrong }, circumstances)
  expect(found.map((each) => each.invariant)).toContain(invariant)
})
