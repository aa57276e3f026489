import { IdempotencyError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import type { Holder } from '../record/record.ts'
import type { IdempotencyStore } from '../store/store.ts'

/**
 * A record held while its request is carried out: the lease is renewed three times in its length, and `signal` is
 * aborted, with a `lease_lost`, as soon as another one may hold the record.
 *
 * This process counts from before it asked for the lease, on a clock that no one sets, and stops a tenth early: so it
 * takes the lease for ended before the store does.
 */
export class Holding implements Disposable {
  readonly holder: Holder
  readonly #store: IdempotencyStore
  readonly #clock: Clock
  readonly #lease: number
  readonly #lost = new AbortController()
  /** On the monotonic clock. */
  #ends: number
  #heartbeat: unknown
  #deadline: unknown
  #over = false
  #renews = true

  /** @param since when the lease was asked for, on the monotonic clock */
  constructor(holder: Holder, store: IdempotencyStore, clock: Clock, lease: number, since: number) {
    this.holder = holder
    this.#store = store
    this.#clock = clock
    this.#lease = lease
    this.#ends = since + safe(lease)
    this.#beatLater()
    this.#watchDeadline()
  }

  /** Aborted when the lease is lost. */
  get signal(): AbortSignal {
    return this.#lost.signal
  }

  /** Milliseconds for which the record is still ours, at least; 0 or less: perhaps no longer. */
  get remaining(): number {
    return this.#lost.signal.aborted ? 0 : this.#ends - this.#clock.monotonic()
  }

  /** The holder has been told that it no longer holds the record. */
  lose(why: string): IdempotencyError {
    const error = new IdempotencyError('lease_lost', `the lease of record ${this.holder.id} was lost: ${why}`)
    this[Symbol.dispose]()
    this.#lost.abort(error)
    return error
  }

  /** The work is done: from now on the lease only runs out. */
  stopRenewing(): void {
    this.#renews = false
    this.#clock.clearTimeout(this.#heartbeat)
  }

  [Symbol.dispose](): void {
    this.#over = true
    this.#clock.clearTimeout(this.#heartbeat)
    this.#clock.clearTimeout(this.#deadline)
  }

  #beatLater(): void {
    this.#heartbeat = this.#clock.setTimeout(() => void this.#beat(), this.#lease / 3)
  }

  async #beat(): Promise<void> {
    const since = this.#clock.monotonic()
    try {
      const renewed = await this.#store.renew(this.holder, this.#lease)
      if (this.#over) return
      if (!renewed) {
        this.lose('another holder has taken it over')
        return
      }
      this.#ends = since + safe(this.#lease)
      this.#clock.clearTimeout(this.#deadline)
      this.#watchDeadline()
    } catch {
      // The store cannot be reached: it is asked again, until the deadline.
      if (this.#over) return
    }
    if (this.#renews) this.#beatLater()
  }

  #watchDeadline(): void {
    this.#deadline = this.#clock.setTimeout(
      () => {
        this.lose('it could not be renewed in time')
      },
      Math.max(0, this.#ends - this.#clock.monotonic()),
    )
  }
}

function safe(lease: number): number {
  return lease * 0.9
}
