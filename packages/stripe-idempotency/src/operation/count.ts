import { IdempotencyError, shown } from '../errors.ts'

/** @throws IdempotencyError `invalid_option` */
export function parseCount(name: string, count: unknown): number {
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 1 && count <= 100_000) return count
  throw new IdempotencyError(
    'invalid_option',
    `${name} must be a whole number from 1 to 100,000, not ${shown(count)}`,
  )
}
