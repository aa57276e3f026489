import { createIdempotency, type IdempotencyStore } from '@loadbearing/stripe-idempotency'

/** Leaves the record of a request of v2 that failed, and left nothing to go on from. */
export async function failOnce(store: IdempotencyStore): Promise<void> {
  const exchange = createIdempotency({ store }).http({ mode: 'stripe-v2' })
  const headers = [['idempotency-key', 'failed']] as const
  const body = new Uint8Array()
  await exchange.answer(
    { method: 'POST', path: '/v2/orders', query: '', headers, body },
    'acct_1',
    async () => ({ status: 500, headers: [], body }),
  )
}
