import type { Expiring } from './deadlines.ts'
import { type CallEvent, callEvents } from './metrics/call-event.ts'
import type { Permit } from './permit.ts'

/** What the guarded function is given. */
export interface CallContext {
  /**
   * Of this call alone: aborted when its time is over, its caller gives up, or the breaker is disposed of. Made when
   * first looked at.
   */
  readonly signal: AbortSignal
}

export type Work<T> = (context: CallContext) => T | PromiseLike<T>

/** What {@link InnerWork} gives back. */
export const underWay: unique symbol = Symbol('under way')

/** Work that has no promise: it answers its call, once, at once or later. */
export type InnerWork<T> = (call: InnerCall<T>) => typeof underWay

/** A call as its inner work sees it. */
export interface InnerCall<T> extends Sink<T>, CallContext {
  /** Gives it up, uncounted. */
  aborted(reason: unknown): void
}

/** Answers in place of a call that failed with `error`. */
export type CallFallback<T> = (error: unknown) => T | PromiseLike<T>

/** Takes the one answer of a call; at once or later. */
export interface Sink<T> {
  succeed(value: T): void
  fail(error: unknown): void
}

export interface CallOptions {
  /** Gives the call up: its caller gets the signal's reason, and it counts neither way. */
  readonly signal?: AbortSignal | undefined
}

/** How a call of a breaker is to be made. */
export interface ExecuteOptions<T> extends CallOptions {
  /**
   * Answers in place of a call that failed, timed out or was refused; not of one that its caller gave up, nor of an
   * error that `isFailure` lets pass. It has no influence on the circuit. `false`: there is none, on purpose.
   */
  readonly fallback?: CallFallback<T> | false | undefined
  /** Fallbacks that may run at once for this one to begin. Default: that of the breaker. */
  readonly fallbackMax?: number | undefined
}

/** Who is told when a call ends otherwise than by its work. */
export interface CallOwner {
  /** The call's signal was looked at. */
  watched(call: Call<unknown>): void
  succeeded(call: Call<unknown>, value: unknown): void
  failed(call: Call<unknown>, error: unknown): void
  aborted(call: Call<unknown>, reason: unknown): void
  expired(call: Call<unknown>, stalled: boolean): void
}

/** How a call came to wait for its place. */
interface Queued {
  /** Monotonic milliseconds. */
  readonly at: number
  /** Of the circuit. */
  readonly generation: number
  /** Whether its time limit ran meanwhile. */
  readonly timed: boolean
}

const nobody: Sink<unknown> = { succeed: () => {}, fail: () => {} }

/**
 * One call on its way through a breaker, and its own permit; not by inheritance, which makes it a tenth dearer. It is
 * answered once.
 */
export class Call<T> implements Permit, CallContext, Expiring<Call<unknown>> {
  settled = false
  generation = -1
  isProbe = false
  startedAt = 0
  readonly work: Work<T> | InnerWork<T>
  sink: Sink<T> = nobody
  readonly options: ExecuteOptions<T>
  stage: 'new' | 'queued' | 'running' | 'fallback' | 'over' = 'new'
  /** Where it had to wait for its place. */
  queued: Queued | undefined
  /** What became of its work, and of its fallback: places in `callEvents`. */
  outcome: number | undefined
  substitute: number | undefined
  /** Whether it is among those that are ended when their time is over or the breaker is disposed of. */
  listed = false
  previous: Call<unknown> | undefined
  next: Call<unknown> | undefined
  readonly #owner: CallOwner
  #controller: AbortController | undefined

  constructor(owner: CallOwner, work: Work<T> | InnerWork<T>, options: ExecuteOptions<T>) {
    this.#owner = owner
    this.work = work
    this.options = options
  }

  get kind(): 'call' | 'probe' {
    return this.isProbe ? 'probe' : 'call'
  }

  /** Whether the circuit has let it through. */
  get admitted(): boolean {
    return this.generation >= 0
  }

  /** Monotonic milliseconds. */
  get arrivedAt(): number {
    return this.queued?.at ?? this.startedAt
  }

  /** Monotonic milliseconds. */
  get timedFrom(): number {
    return this.queued?.timed === true ? this.queued.at : this.startedAt
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      this.#owner.watched(this)
    }
    return this.#controller.signal
  }

  /** What has happened to it so far, in its order. */
  get events(): readonly CallEvent[] {
    return [this.outcome, this.substitute]
      .map((place) => (place === undefined ? undefined : callEvents[place]))
      .filter((event) => event !== undefined)
  }

  /** Of inner work. */
  succeed(value: T): void {
    this.#owner.succeeded(this, value)
  }

  /** Of inner work. */
  fail(error: unknown): void {
    this.#owner.failed(this, error)
  }

  /** Gives it up, as its caller's signal does. */
  aborted(reason: unknown): void {
    this.#owner.aborted(this, reason)
  }

  expire(stalled: boolean): void {
    this.#owner.expired(this, stalled)
  }

  /** Where the work is still going on, its signal is aborted. */
  abortWork(reason: unknown): void {
    this.#controller?.abort(reason)
  }

  watch(signal: AbortSignal): void {
    signal.addEventListener('abort', this, { once: true })
  }

  unwatch(signal: AbortSignal): void {
    signal.removeEventListener('abort', this)
  }

  /** @internal Of the caller's signal. */
  handleEvent(): void {
    this.aborted(this.options.signal?.reason)
  }
}
