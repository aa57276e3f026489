import type { Expiring } from './deadlines.ts'
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

/** A call whatever its value is. */
export interface PendingCall extends Expiring {
  /** The permit of the circuit, from the moment the work began. */
  permit: Permit | undefined
  answered: boolean
  reject(error: unknown, options?: { readonly abort?: boolean }): void
}

/** One call on its way through a breaker. It is answered once. */
export class Call<T> implements CallContext, PendingCall {
  readonly work: Work<T>
  readonly promise: Promise<T>
  permit: Permit | undefined
  answered = false
  #resolve: (value: T) => void = () => {}
  #reject: (error: unknown) => void = () => {}
  readonly #owner: CallOwner
  readonly #callerSignal: AbortSignal | undefined
  #controller: AbortController | undefined
  #onAbort: (() => void) | undefined

  constructor(work: Work<T>, owner: CallOwner, callerSignal: AbortSignal | undefined) {
    this.work = work
    this.#owner = owner
    this.#callerSignal = callerSignal
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (callerSignal !== undefined) {
      this.#onAbort = () => owner.aborted(this, callerSignal.reason)
      callerSignal.addEventListener('abort', this.#onAbort, { once: true })
    }
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  get startedAt(): number {
    return this.permit?.startedAt ?? 0
  }

  expire(): void {
    this.#owner.expired(this)
  }

  resolve(value: T): void {
    this.#end()
    this.#resolve(value)
  }

  /** The caller gets `error`; where the work is still going on, its signal is aborted with it. */
  reject(error: unknown, { abort = false }: { readonly abort?: boolean } = {}): void {
    this.#end()
    if (abort) this.#controller?.abort(error)
    this.#reject(error)
  }

  #end(): void {
    this.answered = true
    if (this.#onAbort !== undefined) this.#callerSignal?.removeEventListener('abort', this.#onAbort)
  }
}

/** Who is told when a call ends otherwise than by its work. */
export interface CallOwner {
  aborted(call: PendingCall, reason: unknown): void
  expired(call: PendingCall): void
}
