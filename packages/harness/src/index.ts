export { HarnessError, type HarnessErrorCode, isHarnessError } from './errors.ts'
