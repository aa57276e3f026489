import type { ClaimAnswer, ClaimRequest, Holder, IdempotencyRecord, RecoveryPoint } from '../record/record.ts'

/**
 * Where records are kept. Every method is one atomic step on the store's own clock, and does what the function of the
 * same name of `record/record.ts` says. What a holding that has ended asks for is refused with `false`, and changes nothing.
 *
 * A method rejects where the store cannot be reached; then it may have had its effect. The two that every request makes,
 * `claim` and `complete`, may answer without a promise.
 */
export interface IdempotencyStore extends AsyncDisposable {
  /** @param options.wait how long it may wait for a transaction that has the record, milliseconds; default: not at all */
  claim(
    request: ClaimRequest,
    options?: { readonly signal?: AbortSignal; readonly wait?: number },
  ): Promise<ClaimAnswer> | ClaimAnswer
  renew(holder: Holder, lease: number): Promise<boolean>
  advance(holder: Holder, point: RecoveryPoint): Promise<boolean>
  complete(holder: Holder, response: Uint8Array): Promise<boolean> | boolean
  /** The lease ends, and the next claim goes on at the recovery point. */
  leave(holder: Holder): Promise<boolean>
  /** The key is as if it had never been claimed. */
  release(holder: Holder): Promise<boolean>
  markUncertain(holder: Holder, why: string): Promise<boolean>
  /** Settles an uncertain record: with the answer that it had, or, with null, by making its key as new. */
  settle(id: Pick<IdempotencyRecord, 'scope' | 'key' | 'id'>, response: Uint8Array | null): Promise<boolean>
  /** Lets an uncertain record go on: what is known now of the phase that was in doubt is put in its journal. */
  reopen(id: Pick<IdempotencyRecord, 'scope' | 'key' | 'id'>, point: RecoveryPoint): Promise<boolean>
  find(scope: string, key: string): Promise<IdempotencyRecord | undefined>
  /** Newest first, at most `limit`. */
  list(filter: ListFilter): Promise<readonly IdempotencyRecord[]>
  /**
   * Resolves when the record may have changed; with no promise that it has. Where a store has no way to tell,
   * whoever waits for a record asks again when its lease ends.
   */
  watch?(record: Pick<IdempotencyRecord, 'scope' | 'key' | 'id'>, signal: AbortSignal): Promise<void>
  /** Deletes at most `limit` records that have expired, completed or failed with nothing left; the number of them. */
  reap(limit: number): Promise<number>
  /** Forgets what was asked and answered of one key, or of a whole scope; the number of records. */
  erase(selector: { readonly scope: string; readonly key?: string }): Promise<number>
}

/** Which records to list. */
export interface ListFilter {
  readonly limit: number
  readonly scope?: string
  readonly state?: IdempotencyRecord['state']
  /** Only claimed ones whose lease has ended since so many milliseconds. */
  readonly abandonedFor?: number
  /** Only those of operations of these names. */
  readonly operations?: readonly string[]
}

/** A store whose records can be part of a transaction on the user's own data. */
export interface TransactionalStore<Transaction> extends IdempotencyStore {
  /**
   * Runs `work` in a transaction of its own, which is committed when it resolves and rolled back when it rejects. Where
   * the commit itself fails it may have been committed all the same: the record tells.
   *
   * @param options.ofClaim `work` begins with a claim by `within` and ends with what becomes of it, and both may go along with
   * the beginning and the end of the transaction; default: false
   */
  transaction<Result>(
    work: (transaction: Transaction) => Promise<Result>,
    options?: { readonly ofClaim?: boolean },
  ): Promise<Result>
  /**
   * The same store as a part of a transaction that is open: whatever it does is committed with it, or never happened.
   * Nobody else sees a record that is claimed there. A claim on a key that another transaction holds is answered as
   * claimed by another, at once or after `wait`.
   */
  within(transaction: Transaction): IdempotencyStore
  /** Whether the same work may be tried again from the start: nothing was committed, or the record will tell. */
  isTransient(error: unknown): boolean
}

/** Whether the store has transactions; what they are, only who gave it knows. */
export function isTransactional(store: IdempotencyStore): store is TransactionalStore<never> {
  return 'transaction' in store && 'within' in store && 'isTransient' in store
}

/** What is wrong with the server or the tables that a store uses. */
export interface Finding {
  /** `error`: records may be lost, or carried out twice. */
  readonly severity: 'error' | 'warning'
  /** The setting or the table. */
  readonly subject: string
  readonly message: string
}
