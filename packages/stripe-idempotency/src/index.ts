export { IdempotencyError, type IdempotencyErrorCode, isIdempotencyError } from './errors.ts'
export type {
  ClaimAnswer,
  ClaimRequest,
  Holder,
  IdempotencyRecord,
  OnAbandoned,
  RecoveryPoint,
  StoredOperation,
} from './record/record.ts'
export type { IdempotencyStore, ListFilter } from './store/store.ts'
