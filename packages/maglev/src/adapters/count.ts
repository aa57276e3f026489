import { MaglevError, shown } from '../errors.ts'

/** @throws MaglevError `INVALID_OPTION` for what is no whole number of at least `min`. */
export function checkCount(option: string, count: unknown, min: number): number {
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= min) return count
  throw new MaglevError(
    'INVALID_OPTION',
    `${option} must be a whole number, ${min} or more, not ${shown(count)}`,
  )
}
