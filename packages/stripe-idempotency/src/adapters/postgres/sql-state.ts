import { isIdempotencyError } from '../../errors.ts'

// PostgreSQL documentation, appendix A.
export const undefinedTable = '42P01'
export const serializationFailure = '40001'
export const deadlockDetected = '40P01'
export const lockNotAvailable = '55P03'
export const uniqueViolation = '23505'

/** The five characters by which PostgreSQL names an error; undefined where it is not PostgreSQL's. */
export function sqlState(error: unknown): string | undefined {
  if (isIdempotencyError(error)) return sqlState(error.cause)
  const code: unknown = Reflect.get(Object(error), 'code')
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && Reflect.has(Object(error), 'severity')
    ? code
    : undefined
}

/** `pg` and `postgres` name it differently. */
export function constraintOf(error: unknown): unknown {
  return Reflect.get(Object(error), 'constraint') ?? Reflect.get(Object(error), 'constraint_name')
}

/** The server ends the connection, as an operator asked or in a crash of its own. */
export function isShutdown(error: unknown): boolean {
  return sqlState(error)?.startsWith('57P') ?? false
}
