import { DatabaseSync } from 'node:sqlite'
import { createIdempotency, type IdempotencyStore, memoryStore } from '@loadbearing/stripe-idempotency'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { Stripe } from 'stripe'
import { describe, expect, test } from 'vitest'

const request = { scope: 'acct_1', key: 'k', input: 5 } as const

describe.each<[string, () => IdempotencyStore]>([
  ['memory', () => memoryStore()],
  ['sqlite', () => sqliteStore({ database: new DatabaseSync(':memory:') })],
])('on a store in %s', (_, open) => {
  test('a phase that was a call when it was attempted is uncertain, and not run in another way', async () => {
    const store = open()
    await using before = createIdempotency({ store })
    const lost = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
    const call = before.operation<number>('pay').call('charged', {
      retention: '1d',
      run: () => {
        throw lost
      },
    })
    await expect(call.execute(request)).rejects.toBe(lost)
    await using after = createIdempotency({ store })
    let runs = 0
    const tx = after.operation<number>('pay').tx('charged', async () => ++runs)
    await expect(tx.execute(request)).rejects.toMatchObject({ code: 'uncertain' })
    expect(runs).toBe(0)
  })

  test('what a phase of an unlucky name left is found under its name', async () => {
    await using idempotency = createIdempotency({ store: open() })
    const pay = idempotency
      .operation<number>('pay')
      .call('__proto__', { retention: '1d', run: async () => ({ charge: 'ch_1' }) })
      .call('told', { retention: '1d', run: async ({ outputs }) => Object.entries(outputs) })
    expect((await pay.execute(request)).value).toEqual([['__proto__', { charge: 'ch_1' }]])
  })
})

test("that Stripe's client lost its connection is never what an operation came to", async () => {
  const stripe = new Stripe('sk_test_1', {
    host: '127.0.0.1',
    port: 1,
    protocol: 'http',
    maxNetworkRetries: 0,
  })
  await using idempotency = createIdempotency({ store: memoryStore() })
  let calls = 0
  const pay = idempotency.operation<number>('pay').call('charged', {
    retention: '1d',
    run: async ({ foreignKey: idempotencyKey }) => {
      calls++
      const { id } = await stripe.charges.create({ amount: 5, currency: 'usd' }, { idempotencyKey })
      return id
    },
    retryable: () => false,
  })
  for (const attempt of [1, 2]) {
    await expect(pay.execute(request)).rejects.toMatchObject({ type: 'StripeConnectionError' })
    expect(calls).toBe(attempt)
  }
})
