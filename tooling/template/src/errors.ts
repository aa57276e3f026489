/** What went wrong, as a closed set. */
export type __Name__ErrorCode =
  /** An option is not what its documentation asks for. */
  'INVALID_OPTION'

// Registered, so that an error of another copy of this package is known as well.
const brand: symbol = Symbol.for('loadbearing:__name__:error')

/** The one error class of this package. `message` names what is at fault, what was received and what to do. */
export class __Name__Error extends Error {
  override readonly name: string = '__Name__Error'
  readonly code: __Name__ErrorCode

  constructor(code: __Name__ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Whether `error` is a {@link __Name__Error}, of this copy of the package or of another one. */
export function is__Name__Error(error: unknown): error is __Name__Error {
  return error instanceof Error && brand in error
}
