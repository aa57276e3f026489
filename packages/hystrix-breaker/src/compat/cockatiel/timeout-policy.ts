import { Deadlines, type Expiring } from '../../deadlines.ts'
import { InvalidOptionError, shown } from '../../errors.ts'
import { checkNumber, durationMax } from '../../option-checks.ts'
import { realClock } from '../../ports.ts'
import { AwakeClock } from './awake-clock.ts'
import { type ContextFields, contextOf, type IDefaultPolicyContext } from './call-context.ts'
import { type CallSignal, OwnSignal } from './call-signal.ts'
import { TaskCancelledError } from './errors.ts'
import { type Event, EventEmitter } from './event.ts'
import { call, GuardedPolicy, promised, run, type Step } from './guarded-policy.ts'
import type { Outcome, Settled } from './outcome.ts'
import { type IFailureEvent, type ISuccessEvent, OutcomeFilter } from './outcome-filter.ts'

/** As an enum would be. */
export const TimeoutStrategy: { readonly Cooperative: 'optimistic'; readonly Aggressive: 'aggressive' } = {
  Cooperative: 'optimistic',
  Aggressive: 'aggressive',
}

/** `Cooperative`: aborts the signal and goes on waiting; `Aggressive`: rejects at once, too. */
export type TimeoutStrategy = 'optimistic' | 'aggressive'

export declare namespace TimeoutStrategy {
  type Cooperative = 'optimistic'
  type Aggressive = 'aggressive'
}

export interface ICancellationContext extends IDefaultPolicyContext {}

export interface ITimeoutOptions {
  strategy: TimeoutStrategy
  /** Whether the signal is aborted when the function has returned. Default true. */
  abortOnReturn?: boolean
}

/** Gives calls up after a time. */
export class TimeoutPolicy extends GuardedPolicy<ICancellationContext> {
  readonly #duration: number
  readonly #options: ITimeoutOptions
  readonly #filter: OutcomeFilter
  readonly #clock: AwakeClock | undefined
  readonly #deadlines: Deadlines<TimedCall>
  readonly #timeout = new EventEmitter<void>()
  readonly onSuccess: Event<ISuccessEvent>
  readonly onFailure: Event<IFailureEvent>
  /** The time of a call was over. */
  readonly onTimeout: Event<void> = this.#timeout.addListener

  /** `duration` in milliseconds. @throws InvalidOptionError naming the option. */
  constructor(
    duration: number,
    options: ITimeoutOptions,
    filter: OutcomeFilter = new OutcomeFilter(),
    unref = false,
  ) {
    super()
    const { strategy } = options
    if (strategy !== TimeoutStrategy.Cooperative && strategy !== TimeoutStrategy.Aggressive) {
      throw new InvalidOptionError(`strategy must be optimistic or aggressive, not ${shown(strategy)}`)
    }
    this.#duration = checkNumber('duration', duration, 0, durationMax)
    this.#options = options
    this.#filter = filter
    this.#clock = unref ? undefined : new AwakeClock()
    this.#deadlines = new Deadlines(this.#clock ?? realClock, duration)
    this.onSuccess = filter.onSuccess
    this.onFailure = filter.onFailure
  }

  /** The same policy, whose timers do not keep the process alive. */
  dangerouslyUnref(): TimeoutPolicy {
    return new TimeoutPolicy(this.#duration, this.#options, this.#filter, true)
  }

  /** The signal is also the second argument of a function that declares one. */
  override execute<T>(
    fn: (context: ICancellationContext, signal: AbortSignal) => PromiseLike<T> | T,
    signal?: AbortSignal,
  ): Promise<T> {
    if (fn.length < 2)
      return super.execute(fn as (context: ICancellationContext) => PromiseLike<T> | T, signal)
    return promised(
      this,
      (own, fields, settled) => call(() => fn(contextOf(own, fields), own.signal), settled),
      signal,
    )
  }

  /** @internal */
  override [run]<T>(step: Step<T>, signal: CallSignal, fields: ContextFields, settled: Settled<T>): void {
    const own = new OwnSignal(signal)
    const aggressive = this.#options.strategy === TimeoutStrategy.Aggressive
    const startedAt = this.#filter.begin()
    let answered = false
    const end = (ended: Outcome<T>): void => {
      if (answered) return
      answered = true
      if (!timed.expired) this.#deadlines.delete(timed)
      this.#clock?.release()
      forget?.()
      const { outcome } = this.#filter.judge(ended, startedAt)
      if (this.#options.abortOnReturn === false) own.unlink()
      else own.abort()
      settled(outcome)
    }
    const timed = new TimedCall(realClock.monotonic(), () => {
      own.abort()
      this.#timeout.emit()
      if (aggressive) end({ error: new TaskCancelledError(`Operation timed out after ${this.#duration}ms`) })
    })
    const forget = aggressive ? signal.onAbort(() => end({ error: new TaskCancelledError() })) : undefined
    this.#deadlines.add(timed)
    this.#clock?.hold()
    step(own, fields, end)
    if (aggressive && signal.aborted) end({ error: new TaskCancelledError() })
  }
}

/** A call that has a deadline. */
class TimedCall implements Expiring<TimedCall> {
  readonly timedFrom: number
  expired = false
  previous: TimedCall | undefined
  next: TimedCall | undefined
  readonly #timedOut: () => void

  constructor(timedFrom: number, timedOut: () => void) {
    this.timedFrom = timedFrom
    this.#timedOut = timedOut
  }

  expire(): void {
    this.expired = true
    this.#timedOut()
  }
}
