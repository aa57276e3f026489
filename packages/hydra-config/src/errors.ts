/** What went wrong, as a closed set. */
export type HydraConfigErrorCode =
  /** An option is not what its documentation asks for. */
  'INVALID_OPTION'

// Registered, so that an error of another copy of this package is known as well.
const brand: symbol = Symbol.for('loadbearing:hydra-config:error')

/** The one error class of this package. `message` names what is at fault, what was received and what to do. */
export class HydraConfigError extends Error {
  override readonly name: string = 'HydraConfigError'
  readonly code: HydraConfigErrorCode

  constructor(code: HydraConfigErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Whether `error` is a {@link HydraConfigError}, of this copy of the package or of another one. */
export function isHydraConfigError(error: unknown): error is HydraConfigError {
  return error instanceof Error && brand in error
}
