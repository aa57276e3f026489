import { expect, test } from 'vitest'
import type { Booking } from './books.ts'
import { compareBooks, type Payment, reconcile } from './reconciliation.ts'

const owed = Uint16Array.of(0, 15, 30, 250, 15)

function bookingsOf(payments: readonly Payment[]): Booking[] {
  return payments.map(([claim, amount]) => ({ claim, amount, transfer: `tr_${claim}` }))
}

test('finds nothing where ledger, books and second count agree', () => {
  const payments = [
    [4, 15],
    [1, 15],
    [3, 250],
    [2, 30],
  ] as const
  expect(reconcile({ ledger: payments, bookings: bookingsOf(payments), reported: owed, owed })).toEqual({
    lines: [
      { award: 250, paid: { claims: 1, amount: 250 }, owed: { claims: 1, amount: 250 } },
      { award: 30, paid: { claims: 1, amount: 30 }, owed: { claims: 1, amount: 30 } },
      { award: 15, paid: { claims: 2, amount: 30 }, owed: { claims: 2, amount: 30 } },
    ],
    paid: { claims: 4, amount: 310 },
    owed: { claims: 4, amount: 310 },
    differing: 0,
    differences: [],
  })
})

const right = [
  [1, 15],
  [2, 30],
  [3, 250],
  [4, 15],
] as const

test.each([
  ['twice', [...right, [4, 15]] as const, owed, 'claim 4: paid 2 times, 30 in all, owed 15'],
  ['not', right.slice(1), owed, 'claim 1: not paid, owed 15'],
  ['too much', [...right.slice(0, 3), [4, 30]] as const, owed, 'claim 4: paid 30, owed 15'],
  ['for nothing', [...right, [0, 15]] as const, owed, 'claim 0: paid 15, owed 0'],
  ['to nobody', [...right, [5, 15]] as const, owed, 'claim 5: paid 15, and there is no such claim'],
  [
    'unreported',
    right,
    Uint16Array.of(0, 15, 0, 250, 15),
    "claim 2: 0 by its worker's report, owed and paid 30",
  ],
])('finds a claim paid %s', (_, ledger, reported, difference) => {
  const { differing, differences } = reconcile({ ledger, bookings: bookingsOf(right), reported, owed })
  expect({ differing, differences }).toEqual({ differing: 1, differences: [difference] })
})

test.each<[string, Booking[], string]>([
  ['not booked', bookingsOf(right.slice(1)), "claim 1: nothing in the desk's books, owed and paid 15"],
  [
    'booked as being paid',
    [{ claim: 1, amount: 15, transfer: null }, ...bookingsOf(right.slice(1))],
    "claim 1: 15 being paid in the desk's books, owed and paid 15",
  ],
  [
    'booked otherwise',
    [{ claim: 1, amount: 30, transfer: 'tr_1' }, ...bookingsOf(right.slice(1))],
    "claim 1: 30 paid in the desk's books, owed and paid 15",
  ],
  [
    'booked for nothing',
    [...bookingsOf(right), { claim: 0, amount: 15, transfer: 'tr_0' }],
    "claim 0: 15 paid in the desk's books, owed and paid 0",
  ],
  [
    'booked to nobody',
    [...bookingsOf(right), { claim: 7, amount: 15, transfer: 'tr_7' }],
    "claim 7: in the desk's books, and there is no such claim",
  ],
])('finds a claim %s', (_, bookings, difference) => {
  const { differing, differences } = reconcile({ ledger: right, bookings, reported: owed, owed })
  expect({ differing, differences }).toEqual({ differing: 1, differences: [difference] })
})

test('two payments that are halves of the award are found too', () => {
  const ledger = [...right.slice(0, 2), [3, 125], [3, 125], right[3]] as const
  const { differences } = reconcile({ ledger, bookings: bookingsOf(right), reported: owed, owed })
  expect(differences).toEqual(['claim 3: paid 2 times, 250 in all, owed 250'])
})

test('claims that the desk never had are found', () => {
  const reported = owed.subarray(0, 4)
  const { differences } = reconcile({ ledger: right, bookings: bookingsOf(right), reported, owed })
  expect(differences[0]).toBe('the desk has 4 claims, the file 5')
})

test('counts all differences and lists the first ten', () => {
  const many = new Uint16Array(1000).fill(15)
  const { differing, differences } = reconcile({ ledger: [], bookings: [], reported: many, owed: many })
  expect([differing, differences.length]).toEqual([1000, 10])
})

test('ledger and books agree where both have each claim once, with the same money', () => {
  expect(compareBooks(right, bookingsOf(right))).toEqual([])
})

test('says what ledger and books have where they differ', () => {
  const bookings: Booking[] = [
    { claim: 1, amount: 15, transfer: null },
    { claim: 2, amount: 30, transfer: null },
    { claim: 3, amount: 30, transfer: 'tr_3' },
    { claim: 4, amount: 15, transfer: 'tr_4' },
  ]
  const ledger = [
    [1, 15],
    [3, 250],
    [4, 15],
    [4, 15],
    [9, 15],
  ] as const
  expect(compareBooks(ledger, bookings)).toEqual([
    {
      claim: 1,
      paidByBank: true,
      text: "claim 1: the bank has paid 15, the desk's books have 15 being paid",
    },
    {
      claim: 2,
      paidByBank: false,
      text: "claim 2: the bank has not paid it, the desk's books have 30 being paid",
    },
    {
      claim: 3,
      paidByBank: true,
      text: "claim 3: the bank has paid 250, the desk's books have 30 paid",
    },
    {
      claim: 4,
      paidByBank: true,
      text: "claim 4: the bank has paid 15 and 15, the desk's books have 15 paid",
    },
    { claim: 9, paidByBank: true, text: "claim 9: the bank has paid 15, the desk's books have nothing" },
  ])
})
