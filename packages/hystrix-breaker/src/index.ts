export type { BatchRequest } from './batch/batch.ts'
export { type Collapser, collapser } from './batch/collapser.ts'
export type { BatchSizes, CollapserMetrics } from './batch/collapser-metrics.ts'
export type {
  BatchAnswers,
  CollapserOptions,
  CollapsingOptions,
  MappedCollapserOptions,
} from './batch/collapser-options.ts'
export { type CachedAnswer, RequestCache, type RequestCacheOptions } from './batch/request-cache.ts'
export { currentRequestScope, type RequestScope, requestScope } from './batch/request-scope.ts'
export { Breaker, type BreakerSnapshot, type Execution } from './breaker.ts'
export type {
  BreakerOptions,
  BreakerSettings,
  BulkheadOptions,
  Isolation,
  MetricsOptions,
  SlicedTime,
} from './breaker-options.ts'
export type { CallContext, CallFallback, CallOptions, ExecuteOptions, Work } from './call.ts'
export {
  Circuit,
  type ProbeGate,
  type Refusal,
} from './circuit.ts'
export type { CircuitObserver, Outcome, Transition, TransitionReason } from './circuit-observer.ts'
export { type CircuitOptions, circuitSettings, type WindowOptions } from './circuit-options.ts'
export { type Command, type CommandCall, type CommandOptions, command } from './command.ts'
export { type FailureType, HystrixBadRequestException, HystrixRuntimeException } from './command-errors.ts'
export {
  InvalidOptionError,
  isResilienceError,
  ResilienceError,
  type ResilienceErrorCode,
  type ResilienceErrorOptions,
} from './errors.ts'
export type {
  BreakerEvents,
  ErrorEvent,
  ExecutionEvent,
  LagEvent,
  LateEvent,
  RejectEvent,
  StateChangeEvent,
  ThresholdEvent,
} from './events.ts'
export {
  breaker,
  type GuardedFunction,
  type GuardFallback,
  type GuardOptions,
} from './guarded-function.ts'
export type { Threshold } from './judge.ts'
export { AimdLimit, type AimdOptions } from './limit/aimd.ts'
export { Gradient2Limit, type Gradient2Options } from './limit/gradient2.ts'
export type { ConcurrencyLimit, LimitSample } from './limit/limit.ts'
export { VegasLimit, type VegasOptions } from './limit/vegas.ts'
export type { Stalls } from './local-fault/loop-watch.ts'
export type { BreakerMetrics } from './metrics/breaker-metrics.ts'
export { type CallEvent, callEvents } from './metrics/call-event.ts'
export type { EventCounts } from './metrics/event-counter.ts'
export { LatencyHistogram, type LatencySummary } from './metrics/latency-histogram.ts'
export type { OpenInterval } from './open-interval.ts'
export type { Duration } from './option-checks.ts'
export { percentile } from './percentile.ts'
export { Permit } from './permit.ts'
export { type AddedBy, type Pipeline, type PipelineOptions, pipeline, type RunOptions } from './pipeline.ts'
export { type Backoff, type ExponentialOptions, exponential } from './policy/backoff.ts'
export { type BulkheadPolicy, type BulkheadPolicyOptions, bulkhead } from './policy/bulkhead.ts'
export { type CircuitBreakerPolicy, circuitBreaker } from './policy/circuit-breaker.ts'
export { type Fallback, type FallbackOptions, fallback } from './policy/fallback.ts'
export { type HedgeOptions, hedge } from './policy/hedge.ts'
export { type LimiterOptions, type LimitPolicy, limit } from './policy/limit.ts'
export type {
  FallbackEvent,
  HedgeEvent,
  OptionErrorEvent,
  PipelineEvents,
  RefusalEvent,
  RetryEvent,
  StallEvent,
} from './policy/pipeline-events.ts'
export type { Policy } from './policy/policy.ts'
export { type RetryOptions, retry } from './policy/retry.ts'
export { type ThrottlePolicy, type ThrottlePolicyOptions, throttle } from './policy/throttle.ts'
export { type TimeoutOptions, timeout } from './policy/timeout.ts'
export type { Clock, Random } from './ports.ts'
export type { EnvoyOutlierOptions } from './preset/envoy-outlier.ts'
export type { HystrixOptions } from './preset/hystrix.ts'
export type { OpossumOptions } from './preset/opossum.ts'
export type { PollyOptions } from './preset/polly.ts'
export { presets } from './preset/presets.ts'
export type { Resilience4jOptions } from './preset/resilience4j.ts'
export {
  type DuplicateEvent,
  type ObservedCollapser,
  Registry,
  type RegistryEvent,
  type RegistryEvents,
  type RegistryOptions,
} from './registry.ts'
export { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts'
export type { CircuitSettings, ForcedState, RateOperator, State, WindowSettings } from './settings.ts'
export type { CircuitSnapshot } from './snapshot.ts'
export { Throttle, type ThrottleOptions } from './throttle.ts'
export type { Counts } from './window/window.ts'
export { countWindow, timeWindow } from './window/window-options.ts'
