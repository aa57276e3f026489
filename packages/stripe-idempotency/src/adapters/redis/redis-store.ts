import { Buffer, isUtf8 } from 'node:buffer'
import { IdempotencyError } from '../../errors.ts'
import { type Clock, realClock } from '../../ports.ts'
import {
  type ClaimAnswer,
  type ClaimRequest,
  canExpire,
  claim,
  erased,
  type Holder,
  hasExpired,
  type IdempotencyRecord,
} from '../../record/record.ts'
import { type Change, ChangingStore, endsHolding, type Place } from '../../store/changing-store.ts'
import { claimBy, triesMax } from '../../store/compare-and-set.ts'
import { isOfOneOf } from '../../store/of-one-of.ts'
import type { Finding, IdempotencyStore, ListFilter } from '../../store/store.ts'
import { Watcher } from '../../store/watcher.ts'
import type { Port, Script } from './client.ts'
import { examine } from './doctor.ts'
import { awaitDurability, type Durability } from './durability.ts'
import { GroupedScript } from './grouped-script.ts'
import {
  bufferOf,
  claimParts,
  headOf,
  holderParts,
  idPart,
  placeOf,
  readRecord,
  recordKeyOf,
  recordKeysOf,
  type Version,
  writeDone,
  writeNew,
  writeRecord,
} from './record-text.ts'
import { awaitScript, claimScript, completeScript, findScript, replaceScript } from './scripts.ts'

type Argument = string | Buffer

/** What is there, at a time of the server's clock. */
interface Found {
  readonly version: Version | undefined
  readonly now: number
}

/** Milliseconds for which what the server said of its clock is taken to hold. */
const toldFor = 1000

/**
 * What a claim by a single `SET` stands as. A member of its record, since a WeakMap takes longer than all else that is done
 * here; one that does not go to copies of the record, which may be of another holder.
 */
const standing = Symbol('standing')

interface Standing {
  readonly recordKey: string
  readonly put: string
  /** From then on its answer is kept for longer than its key would be. */
  readonly late: number
}

interface PutRecord extends IdempotencyRecord {
  readonly [standing]?: Standing
}

/** See `redisStore`. */
export class RedisStore extends ChangingStore implements IdempotencyStore {
  readonly #port: Port
  readonly #prefix: string
  readonly #channel: string
  readonly #clock: Pick<Clock, 'now'> | null
  readonly #durability: Durability | undefined
  readonly #watcher: Watcher
  readonly #completing: GroupedScript
  readonly #replacing: GroupedScript
  /** What the server's clock was when it was asked, on the monotonic clock, and when that was. */
  #told: { readonly now: number; readonly asked: number } | undefined
  #takesNew = true
  #compares = true

  /** @internal */
  constructor(
    port: Port,
    prefix: string,
    clock: Pick<Clock, 'now'> | null,
    durability: Durability | undefined,
  ) {
    super()
    this.#port = port
    this.#durability = durability
    this.#prefix = prefix
    this.#channel = `${prefix}changed`
    this.#clock = clock
    const leading = (): readonly Argument[] => [this.#time(), this.#channel]
    this.#completing = new GroupedScript(port, completeScript, leading)
    this.#replacing = new GroupedScript(port, replaceScript, leading)
    this.#watcher = new Watcher((changed, lost) => port.listen(this.#channel, changed, lost))
  }

  async claim(asked: ClaimRequest): Promise<ClaimAnswer> {
    const request = inWholeMilliseconds(asked)
    const atOnce = await this.#claimAtOnce(request)
    if (atOnce !== undefined) return atOnce
    let seen: Version | undefined
    return await claimBy(
      {
        insert: async () => {
          const answer = await this.#insert(request)
          if ('claimed' in answer) return answer
          seen = answer.version
          return seen && { claimed: false, record: seen.record, now: answer.now }
        },
        replace: async (_, record) => seen !== undefined && (await this.#replace(request, seen, record)),
      },
      request,
    )
  }

  override async complete(holder: Holder, response: Uint8Array): Promise<boolean> {
    const answer = textOf(response)
    if (await this.#completeAtOnce(holder, answer)) return true
    const recordKey = recordKeyOf(this.#prefix, holder)
    const done = await this.#completing.ask(recordKey, [holderParts(holder), holder.id, answer])
    // Also where it was done before, and the wait for it failed.
    await this.#written()
    return done
  }

  protected async change(place: Place, change: Change): Promise<boolean> {
    for (let tries = 0; tries < triesMax; tries++) {
      const { version, now } = await this.#find(place)
      const next = change(version?.record, now)
      if (next === undefined || version === undefined) {
        // It may have been done before, and the wait for it failed.
        await this.#written()
        return false
      }
      if (await this.#replace(place, version, next)) return true
    }
    throw new IdempotencyError('store_unavailable', `a record changed ${triesMax} times while it was written`)
  }

  async find(scope: string, key: string): Promise<IdempotencyRecord | undefined> {
    const { version, now } = await this.#find({ scope, key })
    return version === undefined || hasExpired(version.record, now) ? undefined : version.record
  }

  async list({
    limit,
    scope,
    state,
    abandonedFor,
    operations,
  }: ListFilter): Promise<readonly IdempotencyRecord[]> {
    const records: IdempotencyRecord[] = []
    for await (const place of this.#places(scope)) {
      const { version, now } = await this.#find(place)
      const record = version?.record
      if (
        record !== undefined &&
        !hasExpired(record, now) &&
        isOfOneOf(record, operations) &&
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
    const ask = async (): Promise<boolean> =>
      (await this.#run(awaitScript, { scope, key }, [idPart(id)])) === 1
    return this.#watcher.watch(id, ask, signal)
  }

  /** Redis deletes what has expired by itself. */
  async reap(): Promise<number> {
    return 0
  }

  async erase({ scope, key }: { readonly scope: string; readonly key?: string }): Promise<number> {
    const forget: Change = (found) => found && erased(found)
    if (key !== undefined) return Number(await this.change({ scope, key }, forget))
    let count = 0
    for await (const place of this.#places(scope)) count += Number(await this.change(place, forget))
    return count
  }

  /** What would lose records, or carry a request out twice: eviction, a replica, no append-only file. */
  doctor(): Promise<readonly Finding[]> {
    const nowhere = { scope: '', key: 'doctor' }
    return examine(
      this.#port,
      this.#durability,
      async () => (await this.#find(nowhere)).now,
      () => (this.#clock ?? realClock).now(),
    )
  }

  /** Nothing of the store is left open: the client is the caller's. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#watcher[Symbol.asyncDispose]()
  }

  /**
   * By a single `SET`, which is half the work of a script for Redis. It cannot tell the time, so it takes the time that the
   * server told last: a lease may last up to a second longer for it, and ends sooner only where that clock is set ahead, which
   * ends those that scripts gave as well. Undefined where the server told none in time, for operations, which reckon with
   * it, and for what takes a record over.
   */
  async #claimAtOnce(request: ClaimRequest): Promise<ClaimAnswer | undefined> {
    const parts = claimParts(request)
    const now = this.#serverTime()
    if (now === undefined || typeof parts !== 'string' || !this.#takesNew) return undefined
    const put = writeNew(request, parts, now)
    const recordKey = recordKeyOf(this.#prefix, request)
    const asked = this.#passing()
    let found: unknown
    try {
      found = await this.#port.putNew(recordKey, put)
    } catch (error) {
      if (!isUnknownOption(error)) throw error
      this.#takesNew = false
      return undefined
    }
    const record = Buffer.isBuffer(found) ? readRecord(request, found).record : undefined
    const answer = claim(record, request, now)
    // Whether it may be taken over, or has expired, the server's own clock decides.
    if (record !== undefined && answer.record !== record) return undefined
    if (answer.claimed) {
      const stands: Standing = { recordKey, put, late: asked + request.ttl * 0.9 }
      Object.defineProperty(answer.record, standing, { value: stands })
      await this.#written()
    }
    return answer
  }

  /**
   * In the place of what the claim put, if that still stands: by a single `SET` as well where the server can compare, else by a
   * script that does no more. False where somebody waits for the record, its lease was renewed, it is another holder's, or
   * near its end, which the completing script tells apart.
   */
  async #completeAtOnce(holder: Holder | PutRecord, answer: Argument): Promise<boolean> {
    const stands = standing in holder ? holder[standing] : undefined
    if (stands === undefined || stands.late <= this.#passing()) return false
    const { recordKey, put } = stands
    const done = writeDone(put, answer)
    const [, , expires = ''] = put.split(' ', 3)
    const isDone =
      (await this.#setInPlaceOf(recordKey, put, done, expires)) ??
      (await this.#replacing.ask(recordKey, [headOf(put, holder.id), done, expires, '']))
    if (isDone) await this.#written()
    return isDone
  }

  /** Undefined where the server cannot compare. */
  async #setInPlaceOf(
    key: string,
    put: string,
    done: Argument,
    expires: string,
  ): Promise<boolean | undefined> {
    if (!this.#compares) return undefined
    try {
      const expiry = this.#clock === null ? expires : undefined
      return (await this.#port.putInPlaceOf(key, put, done, expiry)) !== null
    } catch (error) {
      if (!isUnknownOption(error)) throw error
      this.#compares = false
      return undefined
    }
  }

  /** To measure by how long something takes. */
  #passing(): number {
    return this.#clock === null ? realClock.monotonic() : this.#clock.now()
  }

  /** On the server's clock, or up to a second ahead of it. */
  #serverTime(): number | undefined {
    if (this.#clock !== null) return Math.floor(this.#clock.now())
    if (this.#told === undefined) return undefined
    const passed = realClock.monotonic() - this.#told.asked
    return passed < toldFor ? Math.ceil(this.#told.now + passed) : undefined
  }

  async #insert(request: ClaimRequest): Promise<ClaimAnswer | Found> {
    const args = [
      this.#time(),
      this.#channel,
      String(request.lease),
      String(request.ttl),
      claimParts(request),
    ]
    const asked = realClock.monotonic()
    const answered = await this.#port.run(claimScript, [recordKeyOf(this.#prefix, request)], args)
    const [now]: unknown[] = Array.isArray(answered) ? answered : [answered]
    if (typeof now === 'number') this.#told = { now, asked }
    if (typeof answered === 'number') {
      await this.#written()
      return claim(undefined, request, answered)
    }
    const found = readAnswer(request, answered)
    // A client that lost its connection may have sent it again.
    if (found.version?.record.owner === request.owner) await this.#written()
    return found
  }

  async #find(place: Place): Promise<Found> {
    return readAnswer(place, await this.#run(findScript, place))
  }

  async #replace(place: Place, version: Version, next: IdempotencyRecord | null): Promise<boolean> {
    const ends = next === null || endsHolding(version.record, next)
    const done = await this.#replacing.ask(recordKeyOf(this.#prefix, place), [
      version.head,
      next === null ? '' : writeRecord(next, version.revision + 1, version.awaited && !ends),
      next !== null && canExpire(next) ? String(next.expiresAt) : '',
      version.awaited && ends ? version.record.id : '',
    ])
    // Also where it was done before, and the wait for it failed.
    await this.#written()
    return done
  }

  #written(): Promise<void> | undefined {
    return this.#durability && awaitDurability(this.#port, this.#durability)
  }

  #run(script: Script, place: Place, args: readonly Argument[] = []): Promise<unknown> {
    return this.#port.run(script, [recordKeyOf(this.#prefix, place)], [this.#time(), this.#channel, ...args])
  }

  /** For the server to take; empty for its own. */
  #time(): string {
    return this.#clock === null ? '' : String(Math.floor(this.#clock.now()))
  }

  /** Of all records, or of a scope, each once. */
  async *#places(scope: string | undefined): AsyncGenerator<Place> {
    const seen = new Set<string>()
    const start = scope === undefined ? `${this.#prefix}{` : recordKeysOf(this.#prefix, scope)
    for await (const key of this.#port.scan(`${start}*`)) {
      if (seen.has(key)) continue
      seen.add(key)
      yield placeOf(this.#prefix, key)
    }
  }
}

/** As the server counts. */
function inWholeMilliseconds(request: ClaimRequest): ClaimRequest {
  const { lease, ttl } = request
  return Number.isInteger(lease) && Number.isInteger(ttl)
    ? request
    : { ...request, lease: Math.ceil(lease), ttl: Math.ceil(ttl) }
}

/** @throws IdempotencyError `record_corrupt` */
function readAnswer(place: Place, answered: unknown): Found {
  const [now, record]: unknown[] = Array.isArray(answered) ? answered : []
  if (typeof now !== 'number') {
    throw new IdempotencyError('record_corrupt', 'Redis answered a script with something else than a list')
  }
  return { version: Buffer.isBuffer(record) ? readRecord(place, record) : undefined, now }
}

/** What a server says that is older than an option of `SET`. */
function isUnknownOption(error: unknown): boolean {
  return error instanceof Error && error.message.includes('syntax error')
}

/** A client writes one text faster than bytes among texts. What is not UTF-8 would not come out of a text as it went in. */
function textOf(bytes: Uint8Array): Argument {
  const buffer = bufferOf(bytes)
  return isUtf8(buffer) ? buffer.toString() : buffer
}

function keepNewest(records: IdempotencyRecord[], limit: number): readonly IdempotencyRecord[] {
  records.sort((a, b) => b.createdAt - a.createdAt)
  records.length = Math.min(records.length, limit)
  return records
}
