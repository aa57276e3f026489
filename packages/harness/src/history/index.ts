export { HarnessError, type HarnessErrorCode, isHarnessError } from '../errors.ts'
export { type Call, History, type Operation, type Outcome } from './history.ts'
export { Ledger, type LedgerViolation } from './ledger.ts'
export {
  assertLinearizable,
  checkLinearizability,
  type Linearizability,
  type LinearizabilityOptions,
} from './linearizability.ts'
export {
  byKey,
  type CompareAndSetInput,
  compareAndSetRegister,
  type KeyedInput,
  type LockInput,
  lock,
  type Model,
  type RegisterInput,
  register,
} from './model.ts'
export { type SessionGuarantee, SessionHistory, type SessionViolation } from './session.ts'
