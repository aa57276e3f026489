export { type IdempotentFetchOptions, idempotentFetch } from './client/idempotent-fetch.ts'
export type { RetryBudgetOptions } from './client/retry-budget.ts'
export type { Duration } from './duration.ts'
export { type Failure, IdempotencyError, type IdempotencyErrorCode, isIdempotencyError } from './errors.ts'
export type { FailedOpenEvent, IdempotencyEvents, LeaseLostEvent, Outcome, OutcomeEvent } from './events.ts'
export type { Execution } from './execution.ts'
export type { LeftOut } from './fingerprint/canonical-json.ts'
export {
  type FingerprintOptions,
  fingerprint,
  type RequestContent,
  sameFingerprint,
} from './fingerprint/fingerprint.ts'
export type {
  Exchange,
  Exchanged,
  ExchangeOutcome,
  ExchangeSettings,
  FailOpen,
  HandlerContext,
  HttpHandler,
  KeptAnswer,
  Refresh,
} from './http/exchange.ts'
export { executionOf, transactionOf } from './http/execution-of.ts'
export type { HttpOptions } from './http/http-options.ts'
export type { HeaderLines, HttpRequest, HttpResponse, LiveResponse, ReceivedRequest } from './http/message.ts'
export {
  createIdempotency,
  type Idempotency,
  type IdempotencyOptions,
  type TransactionalOptions,
} from './idempotency.ts'
export { type KeyRules, type KeySyntax, readKey } from './key/idempotency-key.ts'
export { type IetfOptions, ietf } from './mode/ietf.ts'
export type { Mode, Problem } from './mode/mode.ts'
export { adyen, checkoutCom, increase, mangopay, payPal, square, whop } from './mode/presets.ts'
export { stripeV1, stripeV2 } from './mode/stripe.ts'
export type { CompleteOptions, CompleterOptions, Completion } from './operation/completer.ts'
export type { DrainerOptions } from './operation/drainer.ts'
export type { Inbox, InboxOptions } from './operation/inbox.ts'
export { type MemoryOutboxOptions, memoryOutbox } from './operation/memory-outbox.ts'
export type { ExecuteRequest, Operation } from './operation/operation.ts'
export type { Job, Outbox, StagedJob } from './operation/outbox.ts'
export {
  applied,
  type CallContext,
  type CallPhase,
  notApplied,
  type PhaseContext,
  type PhaseOptions,
  type TxContext,
  unknown,
  type Verdict,
} from './operation/phase.ts'
export type { ReaperOptions } from './operation/reaper.ts'
export type { SchemaIssue, SchemaResult, StandardSchema } from './operation/standard-schema.ts'
export { isTransportError } from './operation/transport-error.ts'
export type { Worker, WorkerOptions, WorkerTask } from './operation/worker.ts'
export type { Clock, Random } from './ports.ts'
export {
  type DescribedProblem,
  type DescribeOptions,
  describe,
  type KeyDescription,
} from './publish/describe.ts'
export { type OpenApiFragment, openApi } from './publish/open-api.ts'
export type {
  ClaimAnswer,
  ClaimRequest,
  Holder,
  IdempotencyRecord,
  OnAbandoned,
  RecoveryPoint,
  StoredOperation,
} from './record/record.ts'
export type { Run, RunRequest } from './run.ts'
export type { Secret } from './seal.ts'
export { type MemoryStoreOptions, memoryStore } from './store/memory.ts'
export type { Finding, IdempotencyStore, ListFilter, TransactionalStore } from './store/store.ts'
