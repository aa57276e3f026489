/** What went wrong, for `switch`. The set is closed: a new code is a minor release. */
export type MaglevErrorCode =
  | 'INVALID_OPTION'
  | 'INVALID_BACKEND'
  | 'DUPLICATE_BACKEND'
  | 'UNKNOWN_BACKEND'
  | 'TOO_MANY_BACKENDS'
  | 'INVALID_WEIGHT'
  | 'TABLE_SIZE_NOT_PRIME'
  | 'TABLE_SIZE_OUT_OF_RANGE'
  | 'TABLE_TOO_SMALL'
  | 'UNFILLABLE_TABLE'
  | 'INVALID_KEY'
  | 'NO_BACKEND'
  | 'STALE_PLAN'
  | 'SNAPSHOT_CORRUPT'
  | 'SECRET_MISMATCH'
  | 'SHARED_TABLE_FULL'
  | 'POOL_CLOSED'
  | 'PROBE_FAILED'
  | 'DRAIN_INTERRUPTED'
  | 'INVALID_CLUSTER'
  | 'UNSUPPORTED_CLUSTER'
  | 'DISCOVERY_FAILED'
  | 'NO_KEY'
  | 'CROSS_BACKEND'
  | 'PROXY_HEADER_INVALID'
  | 'BACKEND_UNREACHABLE'
  | 'TIMED_OUT'
  | 'PROXY_CLOSED'

// Registered, so that an error of another copy of this package is known as well.
const brand: symbol = Symbol.for('loadbearing:maglev:error')

/** Every error that this package throws on purpose. `message` names the culprit and what to do. */
export class MaglevError extends Error {
  override readonly name: string = 'MaglevError'
  readonly code: MaglevErrorCode

  constructor(code: MaglevErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Whether `error` is a {@link MaglevError}, of this copy of the package or of another one. */
export function isMaglevError(error: unknown): error is MaglevError {
  return error instanceof Error && brand in error
}

const shownMax = 60

/** A value from outside, short enough for a message. */
export function shown(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > shownMax
      ? `${JSON.stringify(value.slice(0, shownMax))}… (${value.length} characters)`
      : JSON.stringify(value)
  }
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (value === null || typeof value !== 'object') return String(value)
  return Array.isArray(value) ? 'an array' : 'an object'
}
