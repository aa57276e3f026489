import { Buffer } from 'node:buffer'
import { isIdempotencyError, storeUnavailable } from './errors.ts'
import type { Events } from './events.ts'
import { type Held, HeldExecution } from './execution.ts'
import { sameFingerprint } from './fingerprint/fingerprint.ts'
import { Holding } from './lease/holding.ts'
import { SharedTimer } from './lease/shared-timer.ts'
import type { Clock, Random } from './ports.ts'
import type { ClaimAnswer, ClaimRequest, IdempotencyRecord, OnAbandoned } from './record/record.ts'
import { placeOf, type Sealer } from './seal.ts'
import type { IdempotencyStore } from './store/store.ts'
import { TimeLimit } from './store/time-limit.ts'
import { finishWithin, OpenTransaction } from './transaction.ts'

export type { Execution, Held } from './execution.ts'

/** Settings of an {@link Engine}; all times in milliseconds. */
export interface EngineSettings {
  readonly store: IdempotencyStore
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
  readonly lease: number
  readonly ttl: number
  /** How long the store may take to answer a claim. */
  readonly storeTimeout: number
  readonly events: Events
}

/** What is asked for, once. */
export interface Request {
  readonly scope: string
  /** As the client sent it. */
  readonly key: string
  readonly endpoint: string
  readonly fingerprint: Uint8Array
  readonly onAbandoned: OnAbandoned
  /** Milliseconds to wait for another one that holds the key; 0 for not at all. */
  readonly wait: number
  readonly operation?: { readonly name: string; readonly input: Uint8Array }
  /** The caller has gone, and waits no longer. Work that has begun goes on. */
  readonly signal?: AbortSignal
}

/** What work came to. */
export type Performed =
  | {
      readonly answer: Uint8Array
      readonly fate: /** It is the answer to this key from now on. */
        | 'keep'
        /** It is the answer already: a transaction of the work's own has kept it. */
        | 'kept'
        /** Nothing was done: the key is as new. */
        | 'release'
        /** It failed and may be asked for again, to go on where it stopped. */
        | 'leave'
    }
  /** Nobody knows whether it had its effect. */
  | { readonly fate: 'uncertain'; readonly why: string }

/** What became of a request. */
export type Settled =
  | {
      readonly outcome: 'executed'
      readonly recordId: string
      readonly fence: number
      readonly answer: Uint8Array
    }
  /** `answer` is null where it was erased. */
  | {
      readonly outcome: 'replayed'
      readonly recordId: string
      readonly fence: number
      readonly answer: Uint8Array | null
    }
  /** `endpoint` is the one the key was first used for. */
  | { readonly outcome: 'mismatch'; readonly of: 'endpoint' | 'content'; readonly endpoint: string }
  | { readonly outcome: 'in-use'; readonly recordId: string }
  | { readonly outcome: 'uncertain'; readonly recordId: string; readonly why: string }

const completionPause = 50

/** Carries out each request once: claims its key, keeps the claim while the work goes on, keeps its answer, replays it. */
export class Engine implements Disposable {
  readonly settings: EngineSettings
  readonly #limit: TimeLimit
  readonly #firstBeat: SharedTimer

  constructor(settings: EngineSettings) {
    this.settings = settings
    this.#limit = new TimeLimit(settings.clock, settings.storeTimeout)
    this.#firstBeat = new SharedTimer(settings.clock, settings.lease / 3)
  }

  /** Leaves no timer behind. What is held keeps its lease no longer. */
  [Symbol.dispose](): void {
    this.#limit[Symbol.dispose]()
    this.#firstBeat[Symbol.dispose]()
  }

  /**
   * @throws IdempotencyError `store_unavailable` where the key could not be claimed: then nothing was done
   * @throws IdempotencyError `record_corrupt`
   * @throws what `perform` throws; then the record is left to `onAbandoned`, its lease ended
   */
  settle(request: Request, perform: (execution: Held) => Promise<Performed>): Promise<Settled> {
    const { events, sealer, clock } = this.settings
    if (!events.hears('outcome')) return this.#settle(request, perform)
    const keyHash = sealer.keyOf(request.scope, request.key)
    return events.observe(
      keyHash,
      () => clock.monotonic(),
      perform,
      (each) => this.#settle(request, each),
    )
  }

  async #settle(request: Request, perform: (execution: Held) => Promise<Performed>): Promise<Settled> {
    const { clock } = this.settings
    const deadline = clock.monotonic() + request.wait
    const claim = this.#claimOf(request)
    for (;;) {
      const since = clock.monotonic()
      const answer = await this.#claim(claim)
      if (answer.claimed) return this.#hold(answer, since, perform)
      const settled = this.#found(answer.record, request)
      if (settled.outcome !== 'in-use' || clock.monotonic() >= deadline || request.signal?.aborted === true) {
        return settled
      }
      await this.#change(answer, deadline, request.signal)
    }
  }

  /**
   * Goes on with a record that was found abandoned, on behalf of whoever asked for it. Undefined where it is no longer there, or held.
   *
   * @throws as {@link settle}
   */
  async resume(
    found: IdempotencyRecord,
    perform: (execution: Held) => Promise<Performed>,
  ): Promise<Settled | undefined> {
    const { store, clock, random, lease, ttl } = this.settings
    const since = clock.monotonic()
    const fresh = { id: token(random), owner: token(random), lease, ttl, onAbandoned: 'resume' as const }
    const answer = await this.#claim({ ...found, ...fresh })
    if (!answer.claimed) return undefined
    if (answer.record.id === found.id) return this.#hold(answer, since, perform)
    // It has gone meanwhile, and nobody asks for a new one.
    await store.release(answer.record)
    return undefined
  }

  /**
   * As {@link settle}, as a part of a transaction that is open: `part` is the store in it. The answer is kept when it is
   * committed, and as long as it is open nobody else can take the record.
   *
   * @throws what `perform` and the store throw; then the transaction must be rolled back, or else nothing of the key is kept
   */
  async settleWithin(
    part: IdempotencyStore,
    request: Request,
    perform: (execution: Held) => Promise<Performed>,
  ): Promise<Settled> {
    const { clock, sealer } = this.settings
    const claimed = await part.claim(this.#claimOf(request), { wait: request.wait })
    if (!claimed.claimed) return this.#found(claimed.record, request)
    const { record, now } = claimed
    const hold = new OpenTransaction(record)
    const execution = new HeldExecution(record, hold, part, sealer, clock, now - clock.monotonic())
    return finishWithin(part, hold, record, sealer, await perform(execution))
  }

  /** What a record that is there means for the request. A mismatch is seen before anything else. */
  #found(record: IdempotencyRecord, request: Request): Settled {
    if (record.endpoint !== request.endpoint) {
      return { outcome: 'mismatch', of: 'endpoint', endpoint: record.endpoint }
    }
    if (!sameFingerprint(record.fingerprint, request.fingerprint)) {
      return { outcome: 'mismatch', of: 'content', endpoint: record.endpoint }
    }
    if (record.state === 'completed') return this.#replay(record)
    return record.state === 'uncertain'
      ? { outcome: 'uncertain', recordId: record.id, why: record.why ?? '' }
      : { outcome: 'in-use', recordId: record.id }
  }

  #replay(record: IdempotencyRecord): Settled {
    const { id, fence, response } = record
    const answer = response === null ? null : this.settings.sealer.open(response, placeOf(record))
    return { outcome: 'replayed', recordId: id, fence, answer }
  }

  async #hold(
    { record, now }: ClaimAnswer,
    since: number,
    perform: (execution: Held) => Promise<Performed>,
  ): Promise<Settled> {
    const { store, clock, lease, sealer } = this.settings
    const holding = new Holding(record, store, clock, lease, since, this.#firstBeat)
    const execution = new HeldExecution(record, holding, store, sealer, clock, now - since)
    try {
      const performed = await perform(execution)
      const settled = await this.#finish(record, holding, performed)
      if (settled.outcome === 'replayed' || settled.outcome === 'in-use') this.#tellLost(record)
      return settled
    } catch (error) {
      if (holding.lost) this.#tellLost(record)
      await this.#giveUp(holding)
      throw error
    } finally {
      holding[Symbol.dispose]()
    }
  }

  #tellLost({ key, id, fence }: IdempotencyRecord): void {
    this.settings.events.emit('lease-lost', { keyHash: key, recordId: id, fence })
  }

  async #finish(record: IdempotencyRecord, holding: Holding, performed: Performed): Promise<Settled> {
    const { store, sealer } = this.settings
    holding.stopRenewing()
    if (performed.fate === 'uncertain') return this.#doubt(record, holding, performed.why)
    const { answer, fate } = performed
    const executed: Settled = { outcome: 'executed', recordId: record.id, fence: record.fence, answer }
    if (fate === 'kept') return executed
    const sealed = sealer.seal(answer, placeOf(record))
    const write = (): Promise<boolean> =>
      fate === 'keep'
        ? store.complete(holding.holder, sealed)
        : fate === 'release'
          ? store.release(holding.holder)
          : store.leave(holding.holder)
    let written: boolean | undefined
    try {
      written = await write()
    } catch {
      written = await this.#untilWritten(holding, write)
    }
    // The effect is there and the store is not: the answer is true all the same, and the record will say it is uncertain.
    if (written === undefined || written) return executed
    const found = await this.#find(record)
    // Our own write had its effect, and the answer to it was lost.
    if (found?.id === record.id && found.fence === record.fence && found.state === 'completed')
      return executed
    if (fate === 'release' ? found === undefined : fate === 'leave' && found?.leaseEnds === 0) return executed
    if (found?.id === record.id && found.state === 'completed') return this.#replay(found)
    return { outcome: 'in-use', recordId: record.id }
  }

  async #doubt(record: IdempotencyRecord, holding: Holding, why: string): Promise<Settled> {
    const written = await this.#untilWritten(holding, () =>
      this.settings.store.markUncertain(holding.holder, why),
    )
    // Where the store is gone the next holder finds the same.
    return written === false
      ? { outcome: 'in-use', recordId: record.id }
      : { outcome: 'uncertain', recordId: record.id, why }
  }

  /** Asks until the store answers; undefined where it does not before the lease ends. */
  async #untilWritten(holding: Holding, write: () => Promise<boolean>): Promise<boolean | undefined> {
    for (;;) {
      try {
        return await write()
      } catch {
        if (holding.remaining <= completionPause) return undefined
        await this.#pause(completionPause)
      }
    }
  }

  /** The lease ends now, so that who asks next need not wait for it. Where the store is gone it ends by itself. */
  async #giveUp(holding: Holding): Promise<void> {
    if (holding.lost) return
    try {
      await this.settings.store.renew(holding.holder, 0)
    } catch {
      // As above.
    }
  }

  async #find({ scope, key }: IdempotencyRecord): Promise<IdempotencyRecord | undefined> {
    try {
      return await this.settings.store.find(scope, key)
    } catch (cause) {
      throw storeUnavailable('look up the record of a key', cause)
    }
  }

  /** Until the record may have changed, its lease has ended, the deadline has come or the caller has gone. */
  async #change(
    { record, now }: ClaimAnswer,
    deadline: number,
    gone: AbortSignal | undefined,
  ): Promise<void> {
    const { store, clock, lease } = this.settings
    const stop = new AbortController()
    const watched = store.watch?.(record, stop.signal)
    // A watch that fails is no worse than none.
    watched?.catch(() => {})
    const pause = Math.max(1, Math.min(deadline - clock.monotonic(), record.leaseEnds - now, lease))
    const timer = Promise.withResolvers<void>()
    const handle = clock.setTimeout(timer.resolve, pause)
    gone?.addEventListener('abort', () => timer.resolve(), { once: true, signal: stop.signal })
    try {
      await Promise.race([timer.promise, watched?.catch(() => timer.promise) ?? timer.promise])
    } finally {
      clock.clearTimeout(handle)
      stop.abort()
    }
  }

  async #claim(claim: ClaimRequest): Promise<ClaimAnswer> {
    try {
      return await this.#limit.of((limit) => this.settings.store.claim(claim, limit))
    } catch (cause) {
      void this.#undo(claim)
      if (isIdempotencyError(cause)) throw cause
      throw storeUnavailable('claim a key', cause)
    }
  }

  /** A claim whose answer was lost may stand. Its owner asks again and lets go, so that the next one need not wait. */
  async #undo(claim: ClaimRequest): Promise<void> {
    const { store, clock } = this.settings
    const end = clock.monotonic() + claim.lease
    for (let pause = 100; clock.monotonic() + pause < end; pause *= 2) {
      await this.#pause(pause)
      try {
        const found = await store.find(claim.scope, claim.key)
        if (found?.state !== 'claimed' || found.owner !== claim.owner) return
        // What was taken over may have phases that are committed.
        await (found.fence === 1 ? store.release(found) : store.leave(found))
        return
      } catch {
        // Asked again, at longer and longer intervals.
      }
    }
  }

  #claimOf({ scope, key, endpoint, fingerprint, onAbandoned, operation }: Request): ClaimRequest {
    const { sealer, random, lease, ttl } = this.settings
    const name = sealer.keyOf(scope, key)
    return {
      scope,
      key: name,
      endpoint,
      fingerprint,
      id: token(random),
      owner: token(random),
      lease,
      ttl,
      onAbandoned,
      operation:
        operation === undefined
          ? null
          : { name: operation.name, input: sealer.seal(operation.input, placeOf({ scope, key: name })) },
    }
  }

  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.settings.clock.setTimeout(resolve, ms)
    return promise
  }
}

function token(random: Random): string {
  const bytes = random.bytes(16)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}
