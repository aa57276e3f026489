export type { IBackoff, IBackoffFactory } from './cockatiel/backoff.ts'
export type { IHalfOpenAfterBackoffContext } from './cockatiel/break-durations.ts'
export type { IBreaker } from './cockatiel/breaker.ts'
export { BulkheadPolicy } from './cockatiel/bulkhead-policy.ts'
export type { IDefaultPolicyContext } from './cockatiel/call-context.ts'
export { CircuitBreakerPolicy, type ICircuitBreakerOptions } from './cockatiel/circuit-breaker-policy.ts'
export { CircuitState } from './cockatiel/circuit-state.ts'
export { ConsecutiveBreaker } from './cockatiel/consecutive-breaker.ts'
export { ConstantBackoff } from './cockatiel/constant-backoff.ts'
export { CountBreaker, type ICountBreakerOptions } from './cockatiel/count-breaker.ts'
export { DelegateBackoff, type DelegateBackoffFn } from './cockatiel/delegate-backoff.ts'
export {
  BrokenCircuitError,
  BulkheadRejectedError,
  HydratingCircuitError,
  IsolatedCircuitError,
  isBrokenCircuitError,
  isBulkheadRejectedError,
  isHydratingCircuitError,
  isIsolatedCircuitError,
  isTaskCancelledError,
  TaskCancelledError,
} from './cockatiel/errors.ts'
export { Event, EventEmitter, type IDisposable } from './cockatiel/event.ts'
export { ExponentialBackoff, type IExponentialBackoffOptions } from './cockatiel/exponential-backoff.ts'
export {
  decorrelatedJitterGenerator,
  fullJitterGenerator,
  type GeneratorFn,
  halfJitterGenerator,
  noJitterGenerator,
} from './cockatiel/exponential-generators.ts'
export { FallbackPolicy } from './cockatiel/fallback-policy.ts'
export type { IPolicy } from './cockatiel/guarded-policy.ts'
export type { IHalfOpenSamplingOptions } from './cockatiel/half-open-sampling.ts'
export { IterableBackoff } from './cockatiel/iterable-backoff.ts'
export { NoopPolicy } from './cockatiel/noop-policy.ts'
export type { FailureReason } from './cockatiel/outcome.ts'
export type { IFailureEvent, ISuccessEvent } from './cockatiel/outcome-filter.ts'
export {
  bulkhead,
  circuitBreaker,
  fallback,
  handleAll,
  handleResultType,
  handleType,
  handleWhen,
  handleWhenResult,
  type IBasePolicyOptions,
  noop,
  Policy,
  retry,
  timeout,
  usePolicy,
} from './cockatiel/policy.ts'
export {
  type IRetryBackoffContext,
  type IRetryContext,
  type IRetryPolicyConfig,
  RetryPolicy,
} from './cockatiel/retry-policy.ts'
export { type ISamplingBreakerOptions, SamplingBreaker } from './cockatiel/sampling-breaker.ts'
export {
  type ICancellationContext,
  type ITimeoutOptions,
  TimeoutPolicy,
  TimeoutStrategy,
} from './cockatiel/timeout-policy.ts'
export { type IMergedPolicy, wrap } from './cockatiel/wrap.ts'
