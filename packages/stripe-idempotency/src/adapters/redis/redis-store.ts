import type { Buffer } from 'node:buffer'
import { IdempotencyError } from '../../errors.ts'
import { type Clock, realClock } from '../../ports.ts'
import {
  type ClaimAnswer,
  type ClaimRequest,
  claim,
  type Holder,
  hasExpired,
  type IdempotencyRecord,
  type RecoveryPoint,
} from '../../record/record.ts'
import { claimBy } from '../../store/compare-and-set.ts'
import { journalEntry, writeJournal } from '../../store/journal.ts'
import type { Finding, IdempotencyStore, ListFilter } from '../../store/store.ts'
import { Watcher } from '../../store/watcher.ts'
import type { Port, Script } from './client.ts'
import { examine } from './doctor.ts'
import { bufferOf, fieldsOf, hashKeyOf, hashKeysOf, placeOf, recordOf } from './record-hash.ts'
import {
  awaitScript,
  changeScript,
  claimScript,
  eraseScript,
  findScript,
  replaceScript,
  settleScript,
} from './scripts.ts'

/** What identifies a record. */
type Place = Pick<IdempotencyRecord, 'scope' | 'key'>
type Argument = string | Buffer

/** See `redisStore`. */
export class RedisStore implements IdempotencyStore {
  readonly #port: Port
  readonly #prefix: string
  readonly #channel: string
  readonly #clock: Pick<Clock, 'now'> | null
  readonly #watcher: Watcher

  /** @internal */
  constructor(port: Port, prefix: string, clock: Pick<Clock, 'now'> | null) {
    this.#port = port
    this.#prefix = prefix
    this.#channel = `${prefix}changed`
    this.#clock = clock
    this.#watcher = new Watcher((changed, lost) => port.listen(this.#channel, changed, lost))
  }

  claim(asked: ClaimRequest): Promise<ClaimAnswer> {
    const request = { ...asked, lease: Math.ceil(asked.lease), ttl: Math.ceil(asked.ttl) }
    return claimBy(
      {
        insert: () => this.#insert(request),
        replace: async (found, record) =>
          this.#did(replaceScript, found, [
            found.id,
            String(found.fence),
            found.state,
            String(found.leaseEnds),
            String(writeJournal(found.journal).length),
            found.erased ? '1' : '',
            ...fieldsOf(record),
          ]),
      },
      request,
    )
  }

  renew(holder: Holder, lease: number): Promise<boolean> {
    return this.#change(holder, 'renew', String(Math.ceil(lease)))
  }

  advance(holder: Holder, point: RecoveryPoint): Promise<boolean> {
    return this.#change(holder, 'advance', point.name, journalEntry(point))
  }

  complete(holder: Holder, response: Uint8Array): Promise<boolean> {
    return this.#change(holder, 'complete', bufferOf(response))
  }

  leave(holder: Holder): Promise<boolean> {
    return this.#change(holder, 'leave')
  }

  release(holder: Holder): Promise<boolean> {
    return this.#change(holder, 'release')
  }

  markUncertain(holder: Holder, why: string): Promise<boolean> {
    return this.#change(holder, 'uncertain', why)
  }

  settle(which: Place & { readonly id: string }, response: Uint8Array | null): Promise<boolean> {
    return this.#did(settleScript, which, [
      which.id,
      ...(response === null ? ['release'] : ['complete', bufferOf(response)]),
    ])
  }

  reopen(which: Place & { readonly id: string }, point: RecoveryPoint): Promise<boolean> {
    return this.#did(settleScript, which, [which.id, 'reopen', point.name, journalEntry(point)])
  }

  async find(scope: string, key: string): Promise<IdempotencyRecord | undefined> {
    const { record, now } = readAnswer({ scope, key }, await this.#run(findScript, { scope, key }))
    return record === undefined || hasExpired(record, now) ? undefined : record
  }

  async list({ limit, scope, state, abandonedFor }: ListFilter): Promise<readonly IdempotencyRecord[]> {
    const records: IdempotencyRecord[] = []
    for await (const place of this.#places(scope)) {
      const { record, now } = readAnswer(place, await this.#run(findScript, place))
      if (
        record !== undefined &&
        !hasExpired(record, now) &&
        (state === undefined || record.state === state) &&
        (abandonedFor === undefined || (record.state === 'claimed' && record.leaseEnds + abandonedFor <= now))
      ) {
        records.push(record)
      }
      // The newest of all are wanted, and not all of them at once.
      if (records.length > limit * 2 + 1000) keepNewest(records, limit)
    }
    return keepNewest(records, limit)
  }

  watch({ scope, key, id }: Place & { readonly id: string }, signal: AbortSignal): Promise<void> {
    return this.#watcher.watch(id, () => this.#did(awaitScript, { scope, key }, [id]), signal)
  }

  /** Redis deletes what has expired by itself. */
  async reap(): Promise<number> {
    return 0
  }

  async erase({ scope, key }: { readonly scope: string; readonly key?: string }): Promise<number> {
    if (key !== undefined) return Number(await this.#did(eraseScript, { scope, key }, []))
    let erased = 0
    for await (const place of this.#places(scope)) erased += Number(await this.#did(eraseScript, place, []))
    return erased
  }

  /** What would lose records, or carry a request out twice: eviction, a replica, no append-only file. */
  doctor(): Promise<readonly Finding[]> {
    const nowhere = { scope: '', key: 'doctor' }
    return examine(
      this.#port,
      async () => readAnswer(nowhere, await this.#run(findScript, nowhere)).now,
      () => (this.#clock ?? realClock).now(),
    )
  }

  /** Nothing of the store is left open: the client is the caller's. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#watcher[Symbol.asyncDispose]()
  }

  async #insert(request: ClaimRequest): Promise<ClaimAnswer | undefined> {
    const { id, endpoint, fingerprint, owner, lease, ttl, operation } = request
    const answered = await this.#run(claimScript, request, [
      id,
      endpoint,
      bufferOf(fingerprint),
      owner,
      String(lease),
      String(ttl),
      ...(operation === null ? [] : [operation.name, bufferOf(operation.input)]),
    ])
    const { claimed, record, now } = readAnswer(request, answered)
    if (claimed) return claim(undefined, request, now)
    return record && { claimed: false, record, now }
  }

  #change(holder: Holder, change: string, ...content: readonly Argument[]): Promise<boolean> {
    const { id, fence, owner } = holder
    return this.#did(changeScript, holder, [id, String(fence), owner, change, ...content])
  }

  async #did(script: Script, place: Place, args: readonly Argument[]): Promise<boolean> {
    return (await this.#run(script, place, args)) === 1
  }

  #run(script: Script, place: Place, args: readonly Argument[] = []): Promise<unknown> {
    const now = this.#clock === null ? '' : String(Math.floor(this.#clock.now()))
    return this.#port.run(script, hashKeyOf(this.#prefix, place), [now, this.#channel, ...args])
  }

  /** Of all records, or of a scope, each once. */
  async *#places(scope: string | undefined): AsyncGenerator<Place> {
    const seen = new Set<string>()
    const start = scope === undefined ? `${this.#prefix}{` : hashKeysOf(this.#prefix, scope)
    for await (const key of this.#port.scan(`${start}*`)) {
      if (seen.has(key)) continue
      seen.add(key)
      yield placeOf(this.#prefix, key)
    }
  }
}

function readAnswer(
  place: Place,
  answered: unknown,
): { readonly claimed: boolean; readonly record: IdempotencyRecord | undefined; readonly now: number } {
  if (!Array.isArray(answered)) {
    throw new IdempotencyError('record_corrupt', 'Redis answered a script with something else than a list')
  }
  return { claimed: answered[0] === 1, record: recordOf(place, answered[2]), now: Number(answered[1]) }
}

function keepNewest(records: IdempotencyRecord[], limit: number): readonly IdempotencyRecord[] {
  records.sort((a, b) => b.createdAt - a.createdAt)
  records.length = Math.min(records.length, limit)
  return records
}
