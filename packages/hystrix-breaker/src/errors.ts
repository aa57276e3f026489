/** What went wrong, for `switch`. The set is closed: a new code is a minor release. */
export type ResilienceErrorCode =
  | 'INVALID_OPTION'
  | 'INVALID_SNAPSHOT'
  | 'INVALID_CONFIG'
  | 'CIRCUIT_OPEN'
  | 'TIMEOUT'
  | 'BULKHEAD_FULL'
  | 'LIMIT_EXCEEDED'
  | 'THROTTLED'
  | 'BUDGET_EXHAUSTED'
  | 'COMMAND_FAILED'
  | 'FALLBACK_FAILED'
  | 'DUPLICATE_ARGUMENT'
  | 'NO_RESPONSE'
  | 'DISPOSED'

// Registered, so that an error of another copy of this package is known as well.
const brand: symbol = Symbol.for('loadbearing:hystrix-breaker:error')

export interface ResilienceErrorOptions extends ErrorOptions {
  /** Milliseconds after which a call may get through again. */
  readonly retryAfter?: number | undefined
}

/** Why a call was refused or given up. `message` names the breaker and what to do. */
export class ResilienceError extends Error {
  readonly code: ResilienceErrorCode
  /** Milliseconds, 0 or more, after which a call may get through again; undefined where nobody knows. */
  readonly retryAfter: number | undefined

  // Of the class and not of each error: refusals have to be cheap.
  static {
    Object.defineProperty(this.prototype, 'name', {
      value: 'ResilienceError',
      writable: true,
      configurable: true,
    })
    Object.defineProperty(this.prototype, brand, { value: true })
  }

  constructor(code: ResilienceErrorCode, message: string, options: ResilienceErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.retryAfter = options.retryAfter
  }
}

/** An option that cannot be: a RangeError, known to {@link isResilienceError} as well. */
export class InvalidOptionError extends RangeError {
  override readonly name: string = 'InvalidOptionError'
  readonly code = 'INVALID_OPTION'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Whether `error` is one of this package's, of this copy of it or of another one. */
export function isResilienceError(error: unknown): error is ResilienceError | InvalidOptionError {
  return error instanceof Error && brand in error
}

// Not so under --frozen-intrinsics.
const limitWritable = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')?.writable === true

/** What `make` makes, an error without a stack: that costs more than all the rest of a refusal, and tells nothing. */
export function withoutStack<T>(make: () => T): T {
  if (!limitWritable) return make()
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return make()
  } finally {
    Error.stackTraceLimit = limit
  }
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
  try {
    return Array.isArray(value) ? 'an array' : 'an object'
  } catch {
    return 'a revoked proxy'
  }
}
