import { expect, test } from 'vitest'
import { Ledger, PaymentConflict } from './ledger.ts'

test('pays a claim once, however often it is asked', () => {
  using ledger = new Ledger(':memory:')
  expect(
    ledger.pay('worker-1', [
      [7, 250],
      [3, 15],
    ]),
  ).toEqual({ paid: 2, replayed: 0 })
  expect(
    ledger.pay('worker-2', [
      [3, 15],
      [4, 30],
      [4, 30],
    ]),
  ).toEqual({ paid: 1, replayed: 2 })
  expect(ledger.payments().map((row) => [...row])).toEqual([
    [3, 15],
    [4, 30],
    [7, 250],
  ])
})

test('refuses another amount for a paid claim, and then makes none of the payments', () => {
  using ledger = new Ledger(':memory:')
  ledger.pay('worker-1', [[1, 15]])
  expect(() =>
    ledger.pay('worker-2', [
      [2, 15],
      [1, 30],
    ]),
  ).toThrow(PaymentConflict)
  expect(() =>
    ledger.pay('worker-2', [
      [2, 15],
      [1, 30],
    ]),
  ).toThrow('claim 1 was paid 15, now 30 is asked')
  expect(ledger.payments().map((row) => [...row])).toEqual([[1, 15]])
  expect(ledger.pay('worker-2', [[2, 15]])).toEqual({ paid: 1, replayed: 0 })
})

test('takes no payment of nothing', () => {
  using ledger = new Ledger(':memory:')
  expect(() => ledger.pay('worker-1', [[1, 0]])).toThrow(/CHECK constraint/)
  expect(ledger.payments()).toEqual([])
})
