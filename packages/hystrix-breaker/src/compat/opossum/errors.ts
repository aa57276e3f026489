export type CircuitBreakerErrorCode = 'EOPENBREAKER' | 'ETIMEDOUT' | 'ESEMLOCKED' | 'ESHUTDOWN'

// Registered, so that an error of another copy of this package is known as well.
const brand: symbol = Symbol.for('loadbearing:hystrix-breaker:opossum-error')

/** An error of the breaker and not of its action, with opossum's messages and codes. */
export class CircuitBreakerError extends Error {
  readonly code: CircuitBreakerErrorCode

  constructor(code: CircuitBreakerErrorCode, message: string) {
    super(message)
    this.code = code
  }

  static {
    Object.defineProperty(this.prototype, brand, { value: true })
  }
}

/** True where the breaker made the error. Anything may be asked about. */
export function isOurError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && brand in error
}
