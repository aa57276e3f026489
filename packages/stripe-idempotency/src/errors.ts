/** What went wrong, as a closed set. */
export type IdempotencyErrorCode =
  /** An option is not what its documentation asks for. */
  | 'invalid_option'
  /** The input of an operation is not what its schema asks for, or cannot be kept as JSON. */
  | 'input_invalid'
  /** What the work came to cannot be kept as JSON. In a transaction it is undone; elsewhere the key is `uncertain` from then on. */
  | 'value_invalid'
  /** The key is not one that the mode takes. */
  | 'key_invalid'
  /** A request with a key belongs to nobody: `scope` gave none. */
  | 'scope_missing'
  /** The key was used for another request. */
  | 'mismatch'
  /** The key is held by a request that is still at work. */
  | 'in_use'
  /** Nobody knows whether the request had its effect; it is not run again until somebody settles it. */
  | 'uncertain'
  /** Another holder has taken the record over, or may have. What this one wrote was refused. */
  | 'lease_lost'
  /** The instance was disposed of before the work had ended; whoever asks next goes on. */
  | 'disposed'
  /** The operation came to an error that is final; `failure` says which. */
  | 'operation_failed'
  /** The store cannot be reached, or is full. */
  | 'store_unavailable'
  /** The request was carried out, and its answer was too large to keep, or was erased. */
  | 'response_unavailable'
  /** What the store holds cannot be decrypted, or is no record of this package. */
  | 'record_corrupt'

const retryableCodes: ReadonlySet<IdempotencyErrorCode> = new Set(['in_use', 'store_unavailable', 'disposed'])

// Registered, so that an error of another copy of this package is known as well.
const brand: symbol = Symbol.for('loadbearing:stripe-idempotency:error')

/** An error that is final, as it is kept. */
export interface Failure {
  readonly name: string
  readonly message: string
  readonly code: string | number | null
}

/** The one error class of this package. `message` names what is at fault, what was received and what to do. */
export class IdempotencyError extends Error {
  override readonly name: string = 'IdempotencyError'
  readonly code: IdempotencyErrorCode
  /** Whether the same request with the same key may succeed later. */
  readonly retryable: boolean
  /** What an operation came to, where `code` is `operation_failed`. */
  readonly failure: Failure | undefined

  constructor(
    code: IdempotencyErrorCode,
    message: string,
    options?: ErrorOptions & { readonly failure?: Failure },
  ) {
    super(message, options)
    this.code = code
    this.failure = options?.failure
    this.retryable = retryableCodes.has(code)
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Whether `error` is an {@link IdempotencyError}, of this copy of the package or of another one. */
export function isIdempotencyError(error: unknown): error is IdempotencyError {
  return error instanceof Error && brand in error
}

/** What could not be asked of a store. */
export function storeUnavailable(what: string, cause: unknown): IdempotencyError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new IdempotencyError('store_unavailable', `the store could not ${what}: ${reason}`, { cause })
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
