import { Buffer } from 'node:buffer'
import type { IdempotencyRecord, IdempotencyStore } from '@loadbearing/stripe-idempotency'
import { realRandom } from '../../../src/ports.ts'
import { sealerOf } from '../../../src/seal.ts'
import type { Entry } from '../checks.ts'
import type { StoreKind } from '../programs/settings.ts'
import { type Transfer, transferOf } from '../programs/transfer.ts'

/** A store with accounts and a ledger in it, as the campaign reaches it: by no proxy. */
export interface Stage extends AsyncDisposable {
  readonly kind: StoreKind
  /** Of the store, or the path of its file. */
  readonly url: string
  readonly store: IdempotencyStore
  /** Empties all of it and opens the accounts. */
  prepare(balances: Readonly<Record<string, number>>): Promise<void>
  /** The ledger in the order in which it was written, and what the accounts have together. */
  look(): Promise<{ readonly entries: readonly Entry[]; readonly balance: number }>
  /** kill -9 to the server, and a new start. Undefined where there is none. */
  readonly kill?: () => Promise<void>
  /** It answers nobody for so many milliseconds. */
  outage(ms: number): Promise<void>
  /** Sees to it that entries of lower fences will be refused, where a transaction does not do that. */
  fenceOff(fenced: string, floor: number): Promise<void>
}

/** What was asked for, without secrets: what an operation was given, or the one of all requests that has its key. */
export function transferIn(record: IdempotencyRecord, asked: readonly Transfer[]): Transfer {
  if (record.operation === null) {
    const { keyOf } = sealerOf([], realRandom)
    const found = asked.find(
      ({ tenant, key }) => tenant === record.scope && keyOf(tenant, key) === record.key,
    )
    if (found === undefined) throw new Error(`nobody asked for the record ${record.id}`)
    return found
  }
  const sealed = Buffer.from(record.operation.input)
  const { value }: { value: object } = JSON.parse(sealed.toString('utf8', 1))
  return transferOf(JSON.stringify(value))
}

export function entriesOf(rows: readonly Record<string, unknown>[]): readonly Entry[] {
  return rows.map(({ tenant, key, kind, amount, fence, attempt }) => ({
    tenant: String(tenant),
    key: String(key),
    kind: String(kind),
    amount: Number(amount),
    fence: Number(fence),
    ...(typeof attempt === 'string' && { attempt }),
  }))
}
