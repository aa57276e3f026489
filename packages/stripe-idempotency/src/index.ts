export type { Duration } from './duration.ts'
export type { Execution } from './engine.ts'
export { IdempotencyError, type IdempotencyErrorCode, isIdempotencyError } from './errors.ts'
export type { LeftOut } from './fingerprint/canonical-json.ts'
export {
  type FingerprintOptions,
  fingerprint,
  type RequestContent,
  sameFingerprint,
} from './fingerprint/fingerprint.ts'
export type { Exchange, Exchanged, ExchangeOutcome, HandlerContext, HttpHandler } from './http/exchange.ts'
export type { HttpOptions } from './http/http-options.ts'
export type { HeaderLines, HttpRequest, HttpResponse } from './http/message.ts'
export {
  createIdempotency,
  type Idempotency,
  type IdempotencyOptions,
  type Run,
  type RunRequest,
} from './idempotency.ts'
export { type KeyRules, type KeySyntax, readKey } from './key/idempotency-key.ts'
export { type IetfOptions, ietf } from './mode/ietf.ts'
export type { Mode, Problem } from './mode/mode.ts'
export { stripeV1, stripeV2 } from './mode/stripe.ts'
export type { Clock, Random } from './ports.ts'
export type {
  ClaimAnswer,
  ClaimRequest,
  Holder,
  IdempotencyRecord,
  OnAbandoned,
  RecoveryPoint,
  StoredOperation,
} from './record/record.ts'
export type { Secret } from './seal.ts'
export { type MemoryStoreOptions, memoryStore } from './store/memory.ts'
export type { Finding, IdempotencyStore, ListFilter, TransactionalStore } from './store/store.ts'
