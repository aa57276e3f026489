import { isZanzibarError, ZanzibarError } from '../errors.ts'

/** An error as HTTP says it. */
export interface ErrorAnswer {
  readonly status: number
  readonly body: object
}

/** What is said to a client; what is no ZanzibarError says nothing of itself. */
export function publicError(error: unknown): ZanzibarError {
  return isZanzibarError(error)
    ? error
    : new ZanzibarError('internal_error', 'Internal Server Error', { cause: error })
}

/** (`openfga/openfga:pkg/server/errors/encoded_errors.go`) */
export function errorAnswer({ code, message, number }: ZanzibarError): ErrorAnswer {
  return { status: statusOf(number), body: { code, message } }
}

/** A line of a stream, which tells gRPC's code. */
export function streamError({ message, number }: ZanzibarError): ErrorAnswer {
  const status = statusOf(number)
  return { status, body: { error: { code: grpcCodes.get(status) ?? 13, message, details: [] } } }
}

const aborted = 10

/** HTTP's status of OpenFGA's number. */
export function statusOf(number: number): number {
  if (number === aborted) return 409
  if (number < 2000) return 401
  if (number < 3500 || number >= 9000) return 400
  if (number < 4000) return 422
  return number < 5000 ? 500 : 404
}

const grpcCodes: ReadonlyMap<number, number> = new Map([
  [400, 3],
  [401, 16],
  [404, 5],
  [409, 10],
  [422, 8],
  [500, 13],
])
