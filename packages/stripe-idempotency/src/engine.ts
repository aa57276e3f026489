import type { EngineSettings } from './engine-settings.ts'
import { isIdempotencyError, storeUnavailable } from './errors.ts'
import { type Held, HeldExecution } from './execution.ts'
import { AtWork } from './lease/at-work.ts'
import { Holding, safe } from './lease/holding.ts'
import { SharedTimer } from './lease/shared-timer.ts'
import { finishWithin, OpenTransaction } from './open-transaction.ts'
import type { ClaimAnswer, ClaimRequest, IdempotencyRecord } from './record/record.ts'
import { placeOf } from './seal.ts'
import { asRecorded, type Performed, type Request, replayOf, type Settled, settledBy } from './settlement.ts'
import type { IdempotencyStore } from './store/store.ts'
import { Limit, TimeLimit } from './store/time-limit.ts'
import { Tokens } from './tokens.ts'
import { undoClaim } from './undo-claim.ts'

/** A request on its way to its record. */
interface Attempt {
  readonly request: Request
  readonly claim: ClaimRequest
  readonly perform: (execution: Held) => Promise<Performed>
  /** Until when it waits for another holder, on the monotonic clock. */
  readonly deadline: number
}

const completionPause = 50

/** Carries out each request once: claims its key, keeps the claim while the work goes on, keeps its answer, replays it. */
export class Engine implements AsyncDisposable {
  readonly settings: EngineSettings
  readonly atWork: AtWork = new AtWork()
  readonly #limit: TimeLimit
  readonly #firstBeat: SharedTimer
  readonly #tokens: Tokens
  readonly #looking = new Map<string, Promise<IdempotencyRecord | undefined>>()

  constructor(settings: EngineSettings) {
    this.settings = settings
    this.#tokens = new Tokens(settings.random)
    this.#limit = new TimeLimit(settings.clock, settings.storeTimeout)
    this.#firstBeat = new SharedTimer(settings.clock, settings.lease / 3)
  }

  /** Tells what is at work to end, waits for it, and leaves no timer behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.atWork.over()
    this.#limit[Symbol.dispose]()
    this.#firstBeat[Symbol.dispose]()
  }

  /**
   * Without a promise where the store answers without one and nothing is to be done.
   *
   * @throws IdempotencyError `store_unavailable` where the key could not be claimed: then nothing was done
   * @throws IdempotencyError `record_corrupt`
   * @throws what `perform` throws; then the record is left to `onAbandoned`, its lease ended
   */
  settle(request: Request, perform: (execution: Held) => Promise<Performed>): Promise<Settled> | Settled {
    const claim = this.#claimOf(request)
    if (!this.settings.events.hears('outcome')) return this.#settle(request, claim, perform)
    return this.observe(request, perform, (each) => this.#settle(request, claim, each))
  }

  /** Tells those who listen what becomes of a request, by whatever way it is settled. */
  observe<Given extends unknown[]>(
    { scope, key }: Request,
    perform: (execution: Held, ...given: Given) => Promise<Performed>,
    settle: (perform: (execution: Held, ...given: Given) => Promise<Performed>) => Promise<Settled> | Settled,
  ): Promise<Settled> | Settled {
    const { events, clock, sealer } = this.settings
    if (!events.hears('outcome')) return settle(perform)
    return events.observe(sealer.keyOf(scope, key), () => clock.monotonic(), perform, settle)
  }

  #settle(
    request: Request,
    claim: ClaimRequest,
    perform: (execution: Held) => Promise<Performed>,
  ): Promise<Settled> | Settled {
    const since = this.settings.clock.monotonic()
    return this.#try({ request, claim, perform, deadline: since + request.wait }, since)
  }

  /** @param since when it is asked for, on the monotonic clock */
  #try(attempt: Attempt, since: number): Promise<Settled> | Settled {
    const asked = this.#claim(attempt.claim, since)
    return 'claimed' in asked
      ? this.#answered(attempt, asked, since)
      : asked.then((answer) => this.#answered(attempt, answer, since))
  }

  #answered(attempt: Attempt, answer: ClaimAnswer, since: number): Promise<Settled> | Settled {
    if (answer.claimed) return this.#hold(answer, since, attempt.perform)
    const { request, deadline } = attempt
    const settled = settledBy(answer.record, request, this.settings.sealer)
    const { clock } = this.settings
    const known = settled.outcome === 'in-use' ? asRecorded(attempt.claim, answer.record) : undefined
    if (known !== undefined) return this.#try({ ...attempt, claim: known }, clock.monotonic())
    if (settled.outcome !== 'in-use' || clock.monotonic() >= deadline || request.signal?.aborted === true) {
      return settled
    }
    return this.#change(answer, deadline, request.signal).then(() => this.#again(attempt, answer.record))
  }

  /** All who waited for a record look at it together. Only where there is no answer yet does each ask for the key again. */
  async #again(attempt: Attempt, record: IdempotencyRecord): Promise<Settled> {
    const found = await this.#look(record)
    return found?.state === 'completed'
      ? settledBy(found, attempt.request, this.settings.sealer)
      : await this.#try(attempt, this.settings.clock.monotonic())
  }

  #look(record: IdempotencyRecord): Promise<IdempotencyRecord | undefined> {
    const { id } = record
    const looking = this.#looking.get(id) ?? this.#lookOnce(record).finally(() => this.#looking.delete(id))
    this.#looking.set(id, looking)
    return looking
  }

  /** Undefined also where the store did not answer: then who asks for the key is told so. */
  async #lookOnce({ scope, key }: IdempotencyRecord): Promise<IdempotencyRecord | undefined> {
    try {
      return await this.#limit.within(this.settings.store.find(scope, key), new Limit())
    } catch {
      return undefined
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
    const { store, clock, lease, ttl } = this.settings
    const since = clock.monotonic()
    const id = this.#tokens.next()
    const fresh = { id, owner: id, lease, ttl, onAbandoned: 'resume' as const }
    const answer = await this.#claim({ ...found, ...fresh }, since)
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
    const asked = this.#claimOf(request)
    let claimed = await part.claim(asked, { wait: request.wait })
    if (!claimed.claimed) {
      const settled = settledBy(claimed.record, request, sealer)
      const known = settled.outcome === 'in-use' ? asRecorded(asked, claimed.record) : undefined
      if (known === undefined) return settled
      claimed = await part.claim(known, { wait: request.wait })
      if (!claimed.claimed) return settledBy(claimed.record, request, sealer)
    }
    const { record, now } = claimed
    const hold = new OpenTransaction(record, this.atWork)
    const execution = new HeldExecution(record, hold, part, sealer, clock, now - clock.monotonic())
    try {
      return await finishWithin(part, hold, record, sealer, await perform(execution))
    } finally {
      hold[Symbol.dispose]()
    }
  }

  async #hold(
    { record, now }: ClaimAnswer,
    since: number,
    perform: (execution: Held) => Promise<Performed>,
  ): Promise<Settled> {
    const { store, clock, lease, sealer } = this.settings
    const holding = new Holding(record, store, clock, lease, since, this.#firstBeat, this.atWork)
    this.atWork.begin()
    const execution = new HeldExecution(record, holding, store, sealer, clock, now - since)
    try {
      const performed = await perform(execution)
      const finished = this.#finish(record, holding, performed)
      const settled = 'outcome' in finished ? finished : await finished
      if (settled.outcome !== 'executed' && settled.outcome !== performed.fate) this.#tellLost(record)
      return settled
    } catch (error) {
      if (holding.lost) this.#tellLost(record)
      await this.#giveUp(holding)
      throw error
    } finally {
      holding[Symbol.dispose]()
      this.atWork.end()
    }
  }

  #tellLost({ key, id, fence }: IdempotencyRecord): void {
    this.settings.events.emit('lease-lost', { keyHash: key, recordId: id, fence })
  }

  #finish(record: IdempotencyRecord, holding: Holding, performed: Performed): Settled | Promise<Settled> {
    const { store, sealer } = this.settings
    holding.stopRenewing()
    if (performed.fate === 'uncertain') return this.#doubt(record, holding, performed.why)
    const { answer, fate } = performed
    const { id: recordId, fence, expiresAt } = record
    const executed: Settled = { outcome: 'executed', recordId, fence, answer, expiresAt }
    if (fate === 'kept') return executed
    const sealed = sealer.seal(answer, placeOf(record, 'answer'))
    const write = (): Promise<boolean> | boolean =>
      fate === 'keep'
        ? store.complete(holding.holder, sealed)
        : fate === 'release'
          ? store.release(holding.holder)
          : store.leave(holding.holder)
    const written = tried(write)
    return written === true ? executed : this.#written(record, holding, { executed, fate, write, written })
  }

  async #written(
    record: IdempotencyRecord,
    holding: Holding,
    attempt: {
      readonly executed: Settled
      readonly fate: 'keep' | 'release' | 'leave'
      readonly write: () => Promise<boolean> | boolean
      readonly written: Promise<boolean> | boolean
    },
  ): Promise<Settled> {
    const { executed, fate, write } = attempt
    let written: boolean | undefined
    try {
      written = await attempt.written
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
    if (found?.id !== record.id || found.state === 'claimed')
      return { outcome: 'in-use', recordId: record.id }
    return found.state === 'completed'
      ? replayOf(found, this.settings.sealer)
      : { outcome: 'uncertain', recordId: record.id, why: found.why ?? '' }
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
  async #untilWritten(
    holding: Holding,
    write: () => Promise<boolean> | boolean,
  ): Promise<boolean | undefined> {
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

  /** @param since when it is asked for, on the monotonic clock */
  #claim(claim: ClaimRequest, since: number): Promise<ClaimAnswer> | ClaimAnswer {
    const limit = new Limit()
    let asked: Promise<ClaimAnswer> | ClaimAnswer
    try {
      asked = this.settings.store.claim(claim, limit)
    } catch (cause) {
      return this.#claimFailed(claim, undefined, cause)
    }
    return 'claimed' in asked ? asked : this.#claimAnswered(claim, since, asked, limit)
  }

  async #claimAnswered(
    claim: ClaimRequest,
    since: number,
    asked: Promise<ClaimAnswer>,
    limit: Limit,
  ): Promise<ClaimAnswer> {
    const { clock, lease } = this.settings
    try {
      const answer = await this.#limit.within(asked, limit)
      // A process that was stopped has its answer before its timers: by then another one may hold the record.
      if (!answer.claimed || clock.monotonic() - since < safe(lease)) return answer
      throw new Error('its answer came when its lease had ended')
    } catch (cause) {
      return this.#claimFailed(claim, asked, cause)
    }
  }

  #claimFailed(claim: ClaimRequest, late: Promise<ClaimAnswer> | undefined, cause: unknown): never {
    void undoClaim(claim, late, this.settings)
    throw isIdempotencyError(cause) ? cause : storeUnavailable('claim a key', cause)
  }

  #claimOf({ scope, key, endpoint, fingerprint, onAbandoned, operation }: Request): ClaimRequest {
    const { sealer, lease, ttl } = this.settings
    const name = sealer.keyOf(scope, key)
    const id = this.#tokens.next()
    return {
      scope,
      key: name,
      endpoint,
      fingerprint: sealer.markOf(fingerprint, scope, name),
      id,
      // No other claim has the id that it gives a new record.
      owner: id,
      lease,
      ttl,
      onAbandoned,
      operation:
        operation === undefined
          ? null
          : {
              name: operation.name,
              input: sealer.seal(operation.input, placeOf({ scope, key: name, id }, 'input')),
            },
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.settings.clock.setTimeout(resolve, ms))
  }
}

function tried<Result>(action: () => Promise<Result> | Result): Promise<Result> | Result {
  try {
    return action()
  } catch (error) {
    return Promise.reject(error)
  }
}
