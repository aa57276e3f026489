import { IdempotencyError } from '../errors.ts'
import type { Hold } from '../execution.ts'
import type { Clock } from '../ports.ts'
import type { Holder } from '../record/record.ts'
import type { IdempotencyStore } from '../store/store.ts'
import type { AtWork } from './at-work.ts'
import type { SharedTimer, Started } from './shared-timer.ts'

/**
 * A record held while its request is carried out: the lease is renewed three times in its length, and `signal` is
 * aborted, with a `lease_lost`, as soon as another one may hold the record.
 *
 * This process counts from before it asked for the lease, on a clock that no one sets, and stops a tenth early: so it
 * takes the lease for ended before the store does.
 */
export class Holding implements Hold, Disposable {
  readonly holder: Holder
  readonly #store: IdempotencyStore
  readonly #clock: Clock
  readonly #lease: number
  /** Made when somebody asks for it: most work is done before it looks. */
  #controller: AbortController | undefined
  #reason: IdempotencyError | undefined
  /** On the monotonic clock. */
  #ends: number
  readonly #firstBeat: SharedTimer
  readonly #atWork: AtWork
  #first: Started | undefined
  /** For the next renewal, or the end of the lease while one is under way. */
  #timer: unknown
  #over = false

  /**
   * @param since when the lease was asked for, on the monotonic clock
   * @param firstBeat of a third of the lease; most work is done before it fires
   */
  constructor(
    holder: Holder,
    store: IdempotencyStore,
    clock: Clock,
    lease: number,
    since: number,
    firstBeat: SharedTimer,
    atWork: AtWork,
  ) {
    this.#atWork = atWork
    this.holder = holder
    this.#store = store
    this.#clock = clock
    this.#lease = lease
    this.#ends = since + safe(lease)
    this.#firstBeat = firstBeat
    this.#first = firstBeat.start(() => {
      this.#first = undefined
      void this.#beat()
    })
  }

  /** Aborted when the lease is lost, and when the instance is disposed of. */
  get signal(): AbortSignal {
    this.#controller ??= this.#atWork.controller()
    if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  get lost(): boolean {
    return this.#reason !== undefined
  }

  /** Milliseconds for which the record is still ours, at least; 0 or less: perhaps no longer. */
  get remaining(): number {
    return this.lost ? 0 : this.#ends - this.#clock.monotonic()
  }

  /** Asks the clock: a process that was stopped goes on before its timers do. */
  ensure(): void {
    this.#reason ??= this.remaining > 0 ? undefined : this.lose('it could not be renewed in time')
    if (this.#reason !== undefined) throw this.#reason
  }

  /** The holder has been told that it no longer holds the record. */
  lose(why: string): IdempotencyError {
    const error = new IdempotencyError('lease_lost', `the lease of record ${this.holder.id} was lost: ${why}`)
    this[Symbol.dispose]()
    this.#reason ??= error
    this.#controller?.abort(error)
    return error
  }

  /** The work is done: from now on the lease only runs out. */
  stopRenewing(): void {
    this[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.#over = true
    this.#atWork.forget(this.#controller)
    if (this.#first !== undefined) this.#firstBeat.stop(this.#first)
    else this.#clock.clearTimeout(this.#timer)
  }

  #beatLater(): void {
    const beat = this.#lease / 3
    const left = this.#ends - this.#clock.monotonic()
    if (left <= beat) this.#loseAfter(left)
    else this.#timer = this.#clock.setTimeout(() => void this.#beat(), beat)
  }

  async #beat(): Promise<void> {
    const since = this.#clock.monotonic()
    if (since >= this.#ends) {
      this.lose('it could not be renewed in time')
      return
    }
    this.#loseAfter(this.#ends - since)
    let renewed: boolean
    try {
      renewed = await this.#store.renew(this.holder, this.#lease)
    } catch {
      // The store cannot be reached: it is asked again, until the deadline.
      if (!this.#over) this.#beatAgain()
      return
    }
    if (this.#over) return
    if (!renewed) {
      this.lose('another holder has taken it over')
      return
    }
    this.#ends = since + safe(this.#lease)
    this.#beatAgain()
  }

  #beatAgain(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#beatLater()
  }

  #loseAfter(ms: number): void {
    this.#timer = this.#clock.setTimeout(
      () => {
        this.lose('it could not be renewed in time')
      },
      Math.max(0, ms),
    )
  }
}

/** For how long a lease is taken to last, from before it was asked for. */
export function safe(lease: number): number {
  return lease * 0.9
}
