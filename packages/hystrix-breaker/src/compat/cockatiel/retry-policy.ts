import { InvalidOptionError, shown } from '../../errors.ts'
import { durationMax } from '../../option-checks.ts'
import { keepAlive, realClock } from '../../ports.ts'
import type { IBackoff, IBackoffFactory } from './backoff.ts'
import { type ContextFields, contextOf, type IDefaultPolicyContext } from './call-context.ts'
import type { CallSignal } from './call-signal.ts'
import { type Event, EventEmitter } from './event.ts'
import { GuardedPolicy, run, type Step } from './guarded-policy.ts'
import type { FailureReason, Outcome, Settled } from './outcome.ts'
import type { IFailureEvent, ISuccessEvent, OutcomeFilter } from './outcome-filter.ts'

export interface IRetryContext extends IDefaultPolicyContext {
  /** 0 in the first call of the function; 1 for the first wait. */
  attempt: number
}

export interface IRetryBackoffContext<R> extends IRetryContext {
  /** How the call failed. */
  result: FailureReason<R>
}

export interface IRetryPolicyConfig {
  backoff: IBackoffFactory<IRetryBackoffContext<unknown>>
  maxAttempts: number
  /** Whether the process may end while a call waits. Default false. */
  unref?: boolean
}

/** Tries again. */
export class RetryPolicy extends GuardedPolicy<IRetryContext> {
  readonly #options: Readonly<IRetryPolicyConfig>
  readonly #filter: OutcomeFilter
  readonly #giveUp = new EventEmitter<FailureReason<unknown>>()
  readonly #retry = new EventEmitter<FailureReason<unknown> & { delay: number; attempt: number }>()
  readonly onSuccess: Event<ISuccessEvent>
  readonly onFailure: Event<IFailureEvent>
  /** A call is tried again, after `delay` milliseconds. */
  readonly onRetry: Event<FailureReason<unknown> & { delay: number; attempt: number }> =
    this.#retry.addListener
  /** A call is not tried again. */
  readonly onGiveUp: Event<FailureReason<unknown>> = this.#giveUp.addListener

  /** @throws InvalidOptionError naming the option. */
  constructor(options: Readonly<IRetryPolicyConfig>, filter: OutcomeFilter) {
    super()
    const { maxAttempts } = options
    if (typeof maxAttempts !== 'number' || Number.isNaN(maxAttempts)) {
      throw new InvalidOptionError(`maxAttempts must be a number, not ${shown(maxAttempts)}`)
    }
    this.#options = options
    this.#filter = filter
    this.onSuccess = filter.onSuccess
    this.onFailure = filter.onFailure
  }

  /** The same policy, whose waits do not keep the process alive. */
  dangerouslyUnref(): RetryPolicy {
    return new RetryPolicy({ ...this.#options, unref: true }, this.#filter.clone())
  }

  /** @internal */
  override [run]<T>(step: Step<T>, signal: CallSignal, fields: ContextFields, settled: Settled<T>): void {
    let backoff: IBackoffFactory<IRetryBackoffContext<unknown>> = this.#options.backoff
    const attempt = (retries: number): void => {
      const startedAt = this.#filter.begin()
      step(signal, { ...fields, attempt: retries }, (ended) => {
        const { is, outcome } = this.#filter.judge(ended, startedAt)
        if (is !== 'handled') settled(outcome)
        else if (signal.aborted || retries >= this.#options.maxAttempts) this.#end(outcome, settled)
        else {
          const next = nextOf(backoff, signal, retries + 1, outcome)
          if ('error' in next) {
            settled(next)
            return
          }
          backoff = next.backoff
          this.#wait(
            next.duration,
            signal,
            () => attempt(retries + 1),
            () => this.#end(outcome, settled),
          )
          this.#retry.emit({ ...outcome, delay: next.duration, attempt: retries + 1 })
        }
      })
    }
    attempt(0)
  }

  #end<T>(outcome: Outcome<T>, settled: Settled<T>): void {
    this.#giveUp.emit(outcome)
    settled(outcome)
  }

  #wait(duration: number, signal: CallSignal, over: () => void, aborted: () => void): void {
    const timer = realClock.setTimeout(
      () => {
        forget()
        over()
      },
      duration > 0 ? Math.min(duration, durationMax) : 0,
    )
    if (this.#options.unref !== true) keepAlive(timer)
    const forget = signal.onAbort(() => {
      forget()
      realClock.clearTimeout(timer)
      aborted()
    })
  }
}

// A backoff that throws ends the call, as an error of the call does.
function nextOf(
  backoff: IBackoffFactory<IRetryBackoffContext<unknown>>,
  signal: CallSignal,
  attempt: number,
  result: FailureReason<unknown>,
):
  | { readonly backoff: IBackoff<IRetryBackoffContext<unknown>>; readonly duration: number }
  | { readonly error: unknown } {
  try {
    const next = backoff.next(contextOf(signal, { attempt, result }))
    return { backoff: next, duration: next.duration }
  } catch (error) {
    return { error }
  }
}
