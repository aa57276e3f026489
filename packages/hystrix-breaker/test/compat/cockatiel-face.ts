import { type CallSignal, callSignal, OwnSignal } from '../../src/compat/cockatiel/call-signal.ts'
import { OutcomeFilter } from '../../src/compat/cockatiel/outcome-filter.ts'
import type { Event } from '../../src/compat/cockatiel.ts'

export {
  BrokenCircuitError,
  BulkheadPolicy,
  BulkheadRejectedError,
  bulkhead,
  CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  ConstantBackoff,
  CountBreaker,
  circuitBreaker,
  DelegateBackoff,
  type DelegateBackoffFn,
  decorrelatedJitterGenerator,
  Event,
  EventEmitter,
  ExponentialBackoff,
  type FailureReason,
  FallbackPolicy,
  fallback,
  fullJitterGenerator,
  type GeneratorFn,
  HydratingCircuitError,
  halfJitterGenerator,
  handleAll,
  handleResultType,
  handleType,
  handleWhen,
  handleWhenResult,
  type IBackoff,
  type IBackoffFactory,
  type IBasePolicyOptions,
  type IBreaker,
  type ICancellationContext,
  type ICircuitBreakerOptions,
  type ICountBreakerOptions,
  type IDefaultPolicyContext,
  type IDisposable,
  type IExponentialBackoffOptions,
  type IFailureEvent,
  type IHalfOpenAfterBackoffContext,
  type IHalfOpenSamplingOptions,
  type IMergedPolicy,
  type IPolicy,
  type IRetryBackoffContext,
  type IRetryContext,
  type IRetryPolicyConfig,
  type ISamplingBreakerOptions,
  type ISuccessEvent,
  IsolatedCircuitError,
  type ITimeoutOptions,
  IterableBackoff,
  isBrokenCircuitError,
  isBulkheadRejectedError,
  isHydratingCircuitError,
  isIsolatedCircuitError,
  isTaskCancelledError,
  NoopPolicy,
  noJitterGenerator,
  noop,
  Policy,
  RetryPolicy,
  retry,
  SamplingBreaker,
  TaskCancelledError,
  TimeoutPolicy,
  TimeoutStrategy,
  timeout,
  usePolicy,
  wrap,
} from '../../src/compat/cockatiel.ts'

// What the files of the suite import of cockatiel's own modules and cockatiel does not export: two fixtures; then the
// internals that have a counterpart here, which is put into their form; last what has none.

export const abortedSignal: AbortSignal = AbortSignal.abort()

export function defer<T>(): PromiseWithResolvers<T> {
  return Promise.withResolvers<T>()
}

/** Our counterpart: OutcomeFilter. */
export class ExecuteWrapper {
  readonly #filter: OutcomeFilter
  readonly onSuccess: OutcomeFilter['onSuccess']
  readonly onFailure: OutcomeFilter['onFailure']

  constructor(isHandled: (error: unknown) => boolean, isFailure: (result: unknown) => boolean) {
    this.#filter = new OutcomeFilter(isHandled, isFailure)
    this.onSuccess = this.#filter.onSuccess
    this.onFailure = this.#filter.onFailure
  }

  async invoke<A extends unknown[]>(fn: (...args: A) => unknown, ...args: A): Promise<unknown> {
    const startedAt = this.#filter.begin()
    const ended = await new Promise((resolve) => resolve(fn(...args))).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    const { is, outcome } = this.#filter.judge(ended, startedAt)
    if (is === 'unhandled' && 'error' in outcome) throw outcome.error
    return is === 'success' && 'value' in outcome ? { success: outcome.value } : outcome
  }
}

/** Our counterpart: OwnSignal. */
export function deriveAbortController(parent: AbortSignal): { readonly ctrl: CallSignal } {
  return { ctrl: new OwnSignal(callSignal(parent)) }
}

/** Our counterpart: CallSignal.onAbort. */
export function onAbort(signal: AbortSignal): { readonly event: Event<unknown> } {
  return { event: (listener) => ({ dispose: callSignal(signal).onAbort(listener) }) }
}

export function MemorizingEventEmitter(): never {
  throw new Error('There is no MemorizingEventEmitter here: cockatiel does not export it')
}
