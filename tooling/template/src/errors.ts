/** What went wrong, as a closed set. */
export type __Name__ErrorCode =
  /** An option is not what its documentation asks for. */
  'INVALID_OPTION'

const brand: unique symbol = Symbol.for('@loadbearing/__name__/error')

/** The one error class of this package. The message names what is at fault, what was received and what to do. */
export class __Name__Error extends Error {
  readonly code: __Name__ErrorCode
  readonly [brand]: true = true

  constructor(code: __Name__ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = '__Name__Error'
    this.code = code
  }
}

/** Whether `value` is a {@link __Name__Error}, also one from another copy of this package. */
export function is__Name__Error(value: unknown): value is __Name__Error {
  return typeof value === 'object' && value !== null && brand in value && value[brand] === true
}
