import { IdempotencyError } from '../errors.ts'
import { type Clock, realClock } from '../ports.ts'
import {
  type ClaimAnswer,
  type ClaimRequest,
  canExpire,
  claim,
  completed,
  erased,
  type Holder,
  hasExpired,
  holds,
  type IdempotencyRecord,
} from '../record/record.ts'
import { type Change, ChangingStore, endsHolding, type Place } from './changing-store.ts'
import { DueList } from './due-list.ts'
import { isOfOneOf } from './of-one-of.ts'
import { isPackedAt, type Packed, pack, unpack } from './packed-record.ts'
import { numberOf } from './place-number.ts'
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

type Stored = IdempotencyRecord | Packed

class MemoryStore extends ChangingStore implements IdempotencyStore {
  /** By the number of scope and key; a list where several have it. */
  readonly #slots = new Map<number, Stored | Stored[]>()
  #size = 0
  readonly #due = new DueList()
  readonly #watchers = new Map<string, Set<() => void>>()
  readonly #capacity: number
  readonly #clock: Clock

  constructor(capacity: number, clock: Clock) {
    super()
    this.#capacity = capacity
    this.#clock = clock
  }

  claim(request: ClaimRequest): ClaimAnswer {
    const now = this.#clock.now()
    this.#sweep(sweptByClaim, now)
    const number = numberOf(request)
    const found = this.#get(number, request)
    if (found === undefined && this.#size >= this.#capacity) {
      throw new IdempotencyError(
        'store_unavailable',
        `the memory store holds ${this.#capacity} records, as many as its capacity; reap, or raise capacity`,
      )
    }
    const answer = claim(found, request, now)
    if (answer.record !== found) this.#put(number, found, answer.record)
    return answer
  }

  /** As every request is completed, without the functions that make a change of it. */
  override complete(holder: Holder, response: Uint8Array): boolean {
    const number = numberOf(holder)
    const found = this.#get(number, holder)
    if (!holds(holder, found)) return false
    this.#put(number, found, completed(found, response, this.#clock.now()))
    return true
  }

  async find(scope: string, key: string): Promise<IdempotencyRecord | undefined> {
    const place = { scope, key }
    const found = this.#get(numberOf(place), place)
    return found === undefined || hasExpired(found, this.#clock.now()) ? undefined : found
  }

  async list({
    limit,
    scope,
    state,
    abandonedFor,
    operations,
  }: ListFilter): Promise<readonly IdempotencyRecord[]> {
    const now = this.#clock.now()
    return this.#all(scope)
      .filter(
        (record) =>
          (state === undefined || record.state === state) &&
          (abandonedFor === undefined ||
            (record.state === 'claimed' && record.leaseEnds + abandonedFor <= now)) &&
          isOfOneOf(record, operations) &&
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
    const chosen = this.#all(scope)
      .filter((record) => key === undefined || record.key === key)
      .toArray()
    for (const record of chosen) this.#set(numberOf(record), erased(record))
    return chosen.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.#watchers.keys()) this.#tell(id)
    this.#slots.clear()
    this.#size = 0
  }

  protected change(place: Place, change: Change): boolean {
    const number = numberOf(place)
    const found = this.#get(number, place)
    const next = change(found, this.#clock.now())
    if (next === undefined) return false
    if (next !== null) this.#put(number, found, next)
    else {
      this.#delete(number, place)
      if (found !== undefined) this.#tell(found.id)
    }
    return true
  }

  #get(number: number, place: Place): IdempotencyRecord | undefined {
    const slot = this.#slots.get(number)
    const stored = Array.isArray(slot) ? slot.find((each) => isAt(each, place)) : slot
    if (stored === undefined || !isAt(stored, place)) return undefined
    return recordOf(stored)
  }

  #put(number: number, found: IdempotencyRecord | undefined, record: IdempotencyRecord): void {
    this.#set(number, record)
    if (record.state === 'completed') this.#due.add(number, record.expiresAt)
    // One that fails again and again is there once.
    else if (canExpire(record) && !this.#due.has(number, record.expiresAt))
      this.#due.add(number, record.expiresAt)
    if (found !== undefined && endsHolding(found, record)) this.#tell(found.id)
  }

  #set(number: number, record: IdempotencyRecord): void {
    const stored = pack(record) ?? record
    const slot = this.#slots.get(number)
    if (slot === undefined) {
      this.#size++
      this.#slots.set(number, stored)
      return
    }
    if (!Array.isArray(slot) && isAt(slot, record)) {
      this.#slots.set(number, stored)
      return
    }
    const others = listOf(slot).filter((each) => !isAt(each, record))
    this.#size += others.length + 1 - listOf(slot).length
    this.#slots.set(number, others.length === 0 ? stored : [...others, stored])
  }

  #delete(number: number, place: Place): void {
    const slot = this.#slots.get(number)
    const others = listOf(slot).filter((each) => !isAt(each, place))
    this.#size += others.length - listOf(slot).length
    if (others.length === 0) this.#slots.delete(number)
    else this.#slots.set(number, others)
  }

  *#all(scope: string | undefined): Generator<IdempotencyRecord, void> {
    for (const slot of this.#slots.values()) {
      for (const stored of listOf(slot)) {
        const record = recordOf(stored)
        if (scope === undefined || record.scope === scope) yield record
      }
    }
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
    for (const number of this.#due.take(limit, now)) {
      // A key may have been claimed anew since.
      const expired = listOf(this.#slots.get(number))
        .map(recordOf)
        .find((record) => hasExpired(record, now))
      if (expired === undefined) continue
      this.#delete(number, expired)
      swept++
    }
    return swept
  }
}

function recordOf(stored: Stored): IdempotencyRecord {
  return typeof stored === 'string' ? unpack(stored) : stored
}

function isAt(stored: Stored, place: Place): boolean {
  return typeof stored === 'string'
    ? isPackedAt(stored, place)
    : stored.key === place.key && stored.scope === place.scope
}

function listOf(slot: Stored | Stored[] | undefined): readonly Stored[] {
  return Array.isArray(slot) ? slot : slot === undefined ? [] : [slot]
}
