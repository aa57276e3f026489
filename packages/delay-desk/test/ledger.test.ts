import { postgres, skipWithout } from '@loadbearing/harness/services'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ledger, PaymentConflict } from '../src/ledger.ts'
import { PostgresLedger } from '../src/postgres-ledger.ts'
import { SqliteLedger } from '../src/sqlite-ledger.ts'

describe('a ledger in SQLite', () => {
  keepsTheBooks(async () => new SqliteLedger(':memory:'))
})

describe.skipIf(skipWithout('postgres'))('a ledger in PostgreSQL', () => {
  let server: Awaited<ReturnType<typeof postgres>>
  beforeAll(async () => {
    server = await postgres()
  })
  afterAll(() => server.stop())

  keepsTheBooks(() => PostgresLedger.open(server.url))

  test('goes with its schema', async () => {
    await using first = await PostgresLedger.open(server.url)
    await first.pay('worker-1', [[1, 15]])
    await first[Symbol.asyncDispose]()
    await using second = await PostgresLedger.open(server.url)
    expect(await second.payments()).toEqual([])
  })
})

function keepsTheBooks(open: () => Promise<Ledger>): void {
  test('pays a claim once, however often it is asked', async () => {
    await using ledger = await open()
    expect(
      await ledger.pay('worker-1', [
        [7, 250],
        [3, 15],
      ]),
    ).toEqual({ paid: 2, replayed: 0 })
    expect(
      await ledger.pay('worker-2', [
        [3, 15],
        [4, 30],
        [4, 30],
      ]),
    ).toEqual({ paid: 1, replayed: 2 })
    expect((await ledger.payments()).map((row) => [...row])).toEqual([
      [3, 15],
      [4, 30],
      [7, 250],
    ])
  })

  test('pays a claim once that many ask for at the same time', async () => {
    await using ledger = await open()
    const orders = Array.from({ length: 20 }, (_, n) =>
      ledger.pay(
        `worker-${n}`,
        n % 2 === 0
          ? [
              [1, 15],
              [2, 30],
            ]
          : [
              [2, 30],
              [1, 15],
            ],
      ),
    )
    const receipts = await Promise.all(orders)
    expect(receipts.reduce((sum, { paid }) => sum + paid, 0)).toBe(2)
    expect(receipts.reduce((sum, { replayed }) => sum + replayed, 0)).toBe(38)
  })

  test('refuses another amount for a paid claim, and then makes none of the payments', async () => {
    await using ledger = await open()
    await ledger.pay('worker-1', [[1, 15]])
    const order = ledger.pay('worker-2', [
      [2, 15],
      [1, 30],
    ])
    await expect(order).rejects.toThrow(PaymentConflict)
    await expect(order).rejects.toThrow('claim 1 was paid 15, now 30 is asked')
    expect((await ledger.payments()).map((row) => [...row])).toEqual([[1, 15]])
    expect(await ledger.pay('worker-2', [[2, 15]])).toEqual({ paid: 1, replayed: 0 })
  })

  test('takes no payment of nothing', async () => {
    await using ledger = await open()
    await expect(ledger.pay('worker-1', [[1, 0]])).rejects.toThrow(/check constraint/i)
    expect(await ledger.payments()).toEqual([])
  })
}
