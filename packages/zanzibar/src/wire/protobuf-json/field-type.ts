import type { Json } from '../../tuple/tuple.ts'
import type { TokenReader } from './tokens.ts'

/** What a field of a protobuf message holds: how it is read from JSON, checked by the rules beside it in the proto, written as JSON, and how many bytes protobuf takes for it. */
export interface FieldType<T> {
  /** What it is where the JSON does not say, or says null. */
  readonly absent: T
  /** One of several fields of which one alone may be set; written only where it is. */
  readonly oneOf?: string
  read(reader: TokenReader, name: string): T
  /** All that protoc-gen-validate says about it, in its words. `place` is `Message.Field`. */
  problems(value: T, place: string): readonly string[]
  /** With `empty`, absent parts are written as well. Undefined where nothing is to be written. */
  write(value: T, empty: boolean): Json | undefined
  /** Bytes in the message that holds it, 0 where it is absent. */
  size(value: T): number
}

export type ValueOf<F> = F extends FieldType<infer T> ? T : never

/** In the words of protoc-gen-validate. */
export function invalid(place: string, reason: string): string {
  return `invalid ${place}: ${reason}`
}

/** The same of what is wrong within an embedded message. */
export function invalidWithin(place: string, problems: readonly string[]): readonly string[] {
  if (problems.length === 0) return problems
  return [invalid(place, `embedded message failed validation | caused by: ${problems.join('; ')}`)]
}

/** Of a number as protobuf writes lengths. */
export function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++
  return size
}

/** Of a field of `length` bytes with its tag; no message here has a field numbered above 15, so that a tag takes one byte. */
export function delimited(length: number): number {
  return 1 + varintSize(length) + length
}
