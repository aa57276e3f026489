import type { Idempotency } from '@loadbearing/stripe-idempotency'

export const request = { scope: 'acct_1', key: 'k', input: 'a ride' } as const

/** Two phases, the second of which calls somebody. */
// oxlint-disable-next-line typescript/explicit-module-boundary-types -- Its type is that of an operation of these phases.
export function ride<Transaction>(idempotency: Idempotency<Transaction>, call: () => Promise<string>) {
  return idempotency
    .operation<string>('ride')
    .tx('created', async () => 'created')
    .call('charged', { retention: '1h', run: call })
}
