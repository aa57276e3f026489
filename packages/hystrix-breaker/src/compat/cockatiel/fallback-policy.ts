import type { ContextFields, IDefaultPolicyContext } from './call-context.ts'
import type { CallSignal } from './call-signal.ts'
import type { Event } from './event.ts'
import { call, GuardedPolicy, run, type Step } from './guarded-policy.ts'
import type { Settled } from './outcome.ts'
import type { IFailureEvent, ISuccessEvent, OutcomeFilter } from './outcome-filter.ts'

/** Another value where a call fails in a way that the policy handles. */
export class FallbackPolicy<AltReturn> extends GuardedPolicy<IDefaultPolicyContext, AltReturn> {
  readonly #filter: OutcomeFilter
  readonly #value: () => PromiseLike<AltReturn> | AltReturn
  readonly onSuccess: Event<ISuccessEvent>
  readonly onFailure: Event<IFailureEvent>

  constructor(filter: OutcomeFilter, value: () => PromiseLike<AltReturn> | AltReturn) {
    super()
    this.#filter = filter
    this.#value = value
    this.onSuccess = filter.onSuccess
    this.onFailure = filter.onFailure
  }

  /** @internal */
  override [run]<T>(
    step: Step<T>,
    signal: CallSignal,
    fields: ContextFields,
    settled: Settled<T | AltReturn>,
  ): void {
    const startedAt = this.#filter.begin()
    step(signal, fields, (ended) => {
      const { is, outcome } = this.#filter.judge(ended, startedAt)
      if (is === 'handled') call<T | AltReturn>(this.#value, settled)
      else settled(outcome)
    })
  }
}
