import { isZanzibarError, ZanzibarError } from '../errors.ts'
import { fieldError } from './field-error.ts'
import type { Message } from './protobuf-json/message.ts'
import { firstValue, isBlank } from './protobuf-json/syntax.ts'
import { textOf } from './protobuf-json/text.ts'
import { tokenReader } from './protobuf-json/tokens.ts'

/** A request's body: JSON as a text or as the bytes of one, or a value that JSON can say. */
export type Body = unknown

/**
 * Reads and checks a request as OpenFGA's gateway does: the body first, then what the path says, then the fields.
 *
 * @throws ZanzibarError of the first problem, in OpenFGA's words
 */
export function readRequest<T>(message: Message<T>, body: Body, path: Partial<T> = {}): T {
  return checked(message, { ...readBody(message, textOfBody(body)), ...path })
}

/** @throws ZanzibarError where a field is not as its rules say */
export function checked<T>(message: Message<T>, request: T): T {
  const problems = message.problems(request)
  if (problems.length > 0) throw fieldError(problems)
  return request
}

function readBody<T>(message: Message<T>, text: string): T {
  if (isBlank(text)) return message.read(tokenReader('{}'))
  // Positions in messages count from where the value begins.
  const value = text.replace(/^[ \t\r\n]+/, '')
  try {
    return message.read(tokenReader(value))
  } catch (error) {
    if (!isZanzibarError(error)) throw error
    // Go looks at the syntax of the first value before it looks at its fields, and not at what follows.
    return message.read(tokenReader(firstValue(value)))
  }
}

function textOfBody(body: Body): string {
  if (typeof body === 'string') return body
  if (body instanceof Uint8Array) return textOf(body)
  if (body === undefined) return ''
  try {
    return JSON.stringify(body) ?? ''
  } catch (cause) {
    throw new ZanzibarError('validation_error', 'the body cannot be written as JSON', { cause })
  }
}
