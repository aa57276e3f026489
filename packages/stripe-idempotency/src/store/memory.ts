import { IdempotencyError } from '../errors.ts'
import { type Clock, realClock } from '../ports.ts'
import {
  advanced,
  type ClaimAnswer,
  type ClaimRequest,
  claim,
  completed,
  erased,
  type Holder,
  hasExpired,
  holds,
  type IdempotencyRecord,
  left,
  type RecoveryPoint,
  renewed,
  reopened,
  uncertain,
} from '../record/record.ts'
import { DueList } from './due-list.ts'
import type { IdempotencyStore, ListFilter } from './store.ts'

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** Records that it holds at most. A new key beyond is refused with `store_unavailable`; no key is thrown out. Default: 1,000,000. */
  readonly capacity?: number
  /** Default: the clock of the process. */
  readonly clock?: Clock
}

/**
 * A store in the memory of one process: for tests, and for where a key need not outlive the process. Records that have
 * expired leave by themselves, a few with every claim.
 */
export function memoryStore(options: MemoryStoreOptions = {}): IdempotencyStore {
  const { capacity = 1_000_000, clock = realClock } = options
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw new IdempotencyError(
      'invalid_option',
      `capacity must be a positive integer, not ${String(capacity)}`,
    )
  }
  return new MemoryStore(capacity, clock)
}

const sweptByClaim = 2

class MemoryStore implements IdempotencyStore {
  readonly #records = new Map<string, IdempotencyRecord>()
  readonly #due = new DueList()
  readonly #watchers = new Map<string, Set<() => void>>()
  readonly #capacity: number
  readonly #clock: Clock

  constructor(capacity: number, clock: Clock) {
    this.#capacity = capacity
    this.#clock = clock
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    const now = this.#clock.now()
    this.#sweep(sweptByClaim, now)
    const place = placeOf(request)
    const found = this.#records.get(place)
    if (found === undefined && this.#records.size >= this.#capacity) {
      throw new IdempotencyError(
        'store_unavailable',
        `the memory store holds ${this.#capacity} records, as many as its capacity; reap, or raise capacity`,
      )
    }
    const answer = claim(found, request, now)
    if (answer.record !== found) this.#put(place, answer.record)
    return answer
  }

  async renew(holder: Holder, lease: number): Promise<boolean> {
    return this.#change(holder, (record) => renewed(record, lease, this.#clock.now()))
  }

  async advance(holder: Holder, point: RecoveryPoint): Promise<boolean> {
    return this.#change(holder, (record) => advanced(record, point))
  }

  async complete(holder: Holder, response: Uint8Array): Promise<boolean> {
    return this.#change(holder, (record) => completed(record, response))
  }

  async leave(holder: Holder): Promise<boolean> {
    const changed = this.#change(holder, left)
    if (changed) this.#tell(holder.id)
    return changed
  }

  async release(holder: Holder): Promise<boolean> {
    const place = placeOf(holder)
    const found = this.#records.get(place)
    if (!holds(holder, found)) return false
    this.#records.delete(place)
    this.#tell(found.id)
    return true
  }

  async markUncertain(holder: Holder, why: string): Promise<boolean> {
    return this.#change(holder, (record) => uncertain(record, why))
  }

  async settle(
    which: Pick<IdempotencyRecord, 'scope' | 'key' | 'id'>,
    response: Uint8Array | null,
  ): Promise<boolean> {
    const place = placeOf(which)
    const found = this.#records.get(place)
    if (found?.id !== which.id || found.state !== 'uncertain') return false
    if (response === null) this.#records.delete(place)
    else this.#put(place, completed(found, response))
    this.#tell(found.id)
    return true
  }

  async reopen(
    which: Pick<IdempotencyRecord, 'scope' | 'key' | 'id'>,
    point: RecoveryPoint,
  ): Promise<boolean> {
    const place = placeOf(which)
    const found = this.#records.get(place)
    if (found?.id !== which.id || found.state !== 'uncertain') return false
    this.#put(place, reopened(found, point))
    this.#tell(found.id)
    return true
  }

  async find(scope: string, key: string): Promise<IdempotencyRecord | undefined> {
    const found = this.#records.get(placeOf({ scope, key }))
    return found === undefined || hasExpired(found, this.#clock.now()) ? undefined : found
  }

  async list({ limit, scope, state, abandonedFor }: ListFilter): Promise<readonly IdempotencyRecord[]> {
    const now = this.#clock.now()
    return this.#records
      .values()
      .filter(
        (record) =>
          (scope === undefined || record.scope === scope) &&
          (state === undefined || record.state === state) &&
          (abandonedFor === undefined ||
            (record.state === 'claimed' && record.leaseEnds + abandonedFor <= now)) &&
          !hasExpired(record, now),
      )
      .toArray()
      .toSorted((a, b) => b.createdAt - a.createdAt)
      .slice(0, limit)
  }

  watch({ id }: Pick<IdempotencyRecord, 'id'>, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (signal.aborted) return Promise.resolve()
    const watchers = this.#watchers.get(id) ?? new Set()
    this.#watchers.set(id, watchers.add(resolve))
    const leave = (): void => {
      watchers.delete(resolve)
      if (watchers.size === 0 && this.#watchers.get(id) === watchers) this.#watchers.delete(id)
      resolve()
    }
    signal.addEventListener('abort', leave, { once: true })
    return promise.finally(() => signal.removeEventListener('abort', leave))
  }

  async reap(limit: number): Promise<number> {
    return this.#sweep(limit, this.#clock.now())
  }

  async erase({ scope, key }: { readonly scope: string; readonly key?: string }): Promise<number> {
    const chosen = this.#records
      .entries()
      .filter(([, record]) => record.scope === scope && (key === undefined || record.key === key))
      .toArray()
    for (const [place, record] of chosen) this.#records.set(place, erased(record))
    return chosen.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.#watchers.keys()) this.#tell(id)
    this.#records.clear()
  }

  #change(holder: Holder, change: (record: IdempotencyRecord) => IdempotencyRecord): boolean {
    const place = placeOf(holder)
    const found = this.#records.get(place)
    if (!holds(holder, found)) return false
    this.#put(place, change(found))
    return true
  }

  #put(place: string, record: IdempotencyRecord): void {
    this.#records.set(place, record)
    if (record.state === 'claimed') return
    if (record.state === 'completed') this.#due.add(place, record.expiresAt)
    this.#tell(record.id)
  }

  #tell(id: string): void {
    if (this.#watchers.size === 0) return
    const watchers = this.#watchers.get(id)
    if (watchers === undefined) return
    this.#watchers.delete(id)
    for (const resolve of watchers) resolve()
  }

  #sweep(limit: number, now: number): number {
    let swept = 0
    for (const place of this.#due.take(limit, now)) {
      const record = this.#records.get(place)
      // A key may have been claimed anew since.
      if (record === undefined || !hasExpired(record, now)) continue
      this.#records.delete(place)
      swept++
    }
    return swept
  }
}

/** The length first, so that no scope and key look like another scope and key. */
function placeOf({ scope, key }: { readonly scope: string; readonly key: string }): string {
  return `${scope.length}:${scope}${key}`
}
