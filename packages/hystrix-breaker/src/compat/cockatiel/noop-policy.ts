import type { ContextFields } from './call-context.ts'
import type { CallSignal } from './call-signal.ts'
import type { Event } from './event.ts'
import { GuardedPolicy, run, type Step } from './guarded-policy.ts'
import type { Settled } from './outcome.ts'
import { type IFailureEvent, type ISuccessEvent, OutcomeFilter } from './outcome-filter.ts'

/** Does nothing but tell of outcomes: for tests and as a place-holder. */
export class NoopPolicy extends GuardedPolicy {
  readonly #filter = new OutcomeFilter()
  readonly onSuccess: Event<ISuccessEvent> = this.#filter.onSuccess
  readonly onFailure: Event<IFailureEvent> = this.#filter.onFailure

  /** @internal */
  override [run]<T>(step: Step<T>, signal: CallSignal, fields: ContextFields, settled: Settled<T>): void {
    const startedAt = this.#filter.begin()
    step(signal, fields, (outcome) => settled(this.#filter.judge(outcome, startedAt).outcome))
  }
}
