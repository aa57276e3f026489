import { realClock } from '../../ports.ts'
import { type Event, EventEmitter } from './event.ts'
import type { FailureReason, Outcome } from './outcome.ts'

export interface ISuccessEvent {
  /** Milliseconds. */
  duration: number
}

export interface IFailureEvent {
  /** Milliseconds. */
  duration: number
  /** Whether the policy handles this failure. */
  handled: boolean
  reason: FailureReason<unknown>
}

/** `handled`: a failure that the policy acts on; `unhandled`: an error that it passes on. */
export interface Verdict<T> {
  readonly is: 'success' | 'handled' | 'unhandled'
  readonly outcome: Outcome<T>
}

/** What a policy takes for a failure, and whom it tells of each outcome. */
export class OutcomeFilter {
  readonly #isHandled: (error: unknown) => boolean
  readonly #isFailure: (result: unknown) => boolean
  readonly #success = new EventEmitter<ISuccessEvent>()
  readonly #failure = new EventEmitter<IFailureEvent>()
  readonly onSuccess: Event<ISuccessEvent> = this.#success.addListener
  readonly onFailure: Event<IFailureEvent> = this.#failure.addListener

  constructor(
    isHandled: (error: unknown) => boolean = () => false,
    isFailure: (result: unknown) => boolean = () => false,
  ) {
    this.#isHandled = isHandled
    this.#isFailure = isFailure
  }

  /** The same filter with no listeners. */
  clone(): OutcomeFilter {
    return new OutcomeFilter(this.#isHandled, this.#isFailure)
  }

  /** The time, where somebody listens: {@link OutcomeFilter.judge} asks for it. */
  begin(): number | undefined {
    return this.#success.size > 0 || this.#failure.size > 0 ? realClock.monotonic() : undefined
  }

  /** A filter that throws makes the call fail with what it threw, unhandled. */
  judge<T>(outcome: Outcome<T>, startedAt: number | undefined): Verdict<T> {
    const verdict = this.#verdict(outcome)
    if (startedAt !== undefined) {
      const duration = realClock.monotonic() - startedAt
      if (verdict.is === 'success') this.#success.emit({ duration })
      else this.#failure.emit({ duration, handled: verdict.is === 'handled', reason: verdict.outcome })
    }
    return verdict
  }

  #verdict<T>(outcome: Outcome<T>): Verdict<T> {
    try {
      if ('error' in outcome) return { is: this.#isHandled(outcome.error) ? 'handled' : 'unhandled', outcome }
      return { is: this.#isFailure(outcome.value) ? 'handled' : 'success', outcome }
    } catch (error) {
      return { is: 'unhandled', outcome: { error } }
    }
  }
}
