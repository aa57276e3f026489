import { expect, test } from 'vitest'
import { reconcile } from './reconciliation.ts'

const owed = Uint16Array.of(0, 15, 30, 250, 15)

test('finds nothing where ledger, books and second count agree', () => {
  const payments = [
    [4, 15],
    [1, 15],
    [3, 250],
    [2, 30],
  ] as const
  expect(reconcile(payments, owed, owed)).toEqual({
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
    'past the books',
    right,
    Uint16Array.of(0, 15, 0, 250, 15),
    "claim 2: 0 in the desk's books, owed and paid 30",
  ],
])('finds a claim paid %s', (_, payments, books, difference) => {
  const { differing, differences } = reconcile(payments, books, owed)
  expect({ differing, differences }).toEqual({ differing: 1, differences: [difference] })
})

test('two payments that are halves of the award are found too', () => {
  const halves = [...right.slice(0, 2), [3, 125], [3, 125], right[3]] as const
  expect(reconcile(halves, owed, owed).differences).toEqual(['claim 3: paid 2 times, 250 in all, owed 250'])
})

test('claims that the desk never had are found', () => {
  expect(reconcile(right, owed.subarray(0, 4), owed).differences[0]).toBe('the desk has 4 claims, the file 5')
})

test('counts all differences and lists the first ten', () => {
  const many = new Uint16Array(1000).fill(15)
  const { differing, differences } = reconcile([], many, many)
  expect([differing, differences.length]).toEqual([1000, 10])
})
