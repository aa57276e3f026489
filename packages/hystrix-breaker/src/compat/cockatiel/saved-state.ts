import { ResilienceError, shown } from '../../errors.ts'

/** A field of a saved state, as `read` takes it. @throws ResilienceError `INVALID_SNAPSHOT` where it takes it not. */
export function savedField<T>(
  saved: unknown,
  name: string,
  expected: string,
  read: (value: unknown) => value is T,
): T {
  const value: unknown =
    typeof saved === 'object' && saved !== null && Object.hasOwn(saved, name)
      ? Reflect.get(saved, name)
      : undefined
  if (read(value)) return value
  throw new ResilienceError(
    'INVALID_SNAPSHOT',
    `The saved state's ${name} must be ${expected}, not ${shown(value)}`,
  )
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32
}

export function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
