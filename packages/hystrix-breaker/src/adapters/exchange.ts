import type { Breaker } from '../breaker.ts'
import { type Call, type CallContext, type InnerCall, underWay } from '../call.ts'

/** What an {@link Exchange} asks for. */
export interface ExchangeSteps {
  /** It may begin: at once, or later where it had to wait for its place. */
  begin(): void
  /** It was refused, or ended by its time limit, by its caller or with its breaker. Once, and not once it is settled. */
  giveUp(error: unknown): void
}

/**
 * A call of a breaker of which events tell how it went, and no promise: an HTTP request, on either side. The first of
 * {@link Exchange.succeed}, {@link Exchange.fail} and {@link Exchange.leave} settles it.
 */
export class Exchange implements CallContext {
  readonly breaker: Breaker
  readonly #steps: ExchangeSteps
  #call: Call<void> | undefined
  #running: InnerCall<void> | undefined
  #settled = false

  constructor(breaker: Breaker, steps: ExchangeSteps) {
    this.breaker = breaker
    this.#steps = steps
  }

  /** Of a call that was let through. Made when first looked at. */
  get signal(): AbortSignal {
    if (this.#running === undefined) throw new TypeError('There is no signal before the call is let through')
    return this.#running.signal
  }

  /** Whether it waits for its place. */
  get queued(): boolean {
    return this.#call?.stage === 'queued'
  }

  start(): void {
    this.#call = this.breaker.begin<void>(
      (call: InnerCall<void>): typeof underWay => {
        this.#running = call
        this.#steps.begin()
        return underWay
      },
      {
        succeed: () => {},
        fail: (error) => {
          if (this.#settled) return
          this.#settled = true
          this.#steps.giveUp(error)
        },
      },
    )
  }

  succeed(): void {
    this.#settled = true
    this.#running?.succeed()
  }

  fail(error: unknown): void {
    this.#settled = true
    this.#running?.fail(error)
  }

  /** It ends for a reason that says nothing about what the breaker guards. */
  leave(reason: unknown): void {
    const call = this.#running ?? this.#call
    call?.aborted(reason)
  }
}
