import { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import type { ClaimRequest } from '@loadbearing/stripe-idempotency'

/** A claim that is nobody else's. */
export function claimOf(key: string): ClaimRequest {
  return {
    scope: 'acct_1',
    key,
    endpoint: 'POST /v1/charges',
    fingerprint: Buffer.alloc(32, 7),
    id: `id-${key}`,
    owner: `owner-${randomUUID()}`,
    lease: 60_000,
    ttl: 86_400_000,
    onAbandoned: 'uncertain',
    operation: null,
  }
}
