import type { Context, Json } from '../../tuple/tuple.ts'
import { readMap } from './collections.ts'
import { delimited, type FieldType, varintSize } from './field-type.ts'
import type { TokenReader } from './tokens.ts'

/** `google.protobuf.Struct`: any JSON object. */
export function struct(): FieldType<Context | undefined> {
  return {
    absent: undefined,
    read: (reader) => readMap(reader, () => value(reader)),
    problems: () => [],
    write: (json, empty) => json ?? (empty ? null : undefined),
    size: (json) => (json === undefined ? 0 : delimited(structSize(json))),
  }
}

function value(reader: TokenReader): Json {
  const { kind } = reader.peek()
  if (kind === 'objectOpen') return readMap(reader, () => value(reader))
  if (kind === 'arrayOpen') return array(reader)
  const token = reader.read()
  if (kind === 'string') return token.text
  if (kind === 'bool') return token.raw === 'true'
  if (kind === 'null') return null
  if (kind !== 'number') return reader.unexpected(token)
  const number = Number(token.raw)
  return Number.isFinite(number) ? number : reader.fail(token, `invalid google.protobuf.Value: ${token.raw}`)
}

function array(reader: TokenReader): Json {
  reader.enter()
  reader.read()
  const values: Json[] = []
  while (reader.peek().kind !== 'arrayClose') values.push(value(reader))
  reader.read()
  reader.leave()
  return values
}

/** Bytes that protobuf takes for the fields of a `google.protobuf.Struct`. */
export function structSize(context: Context): number {
  let size = 0
  for (const [key, json] of Object.entries(context))
    size += delimited(delimited(Buffer.byteLength(key)) + delimited(valueSize(json)))
  return size
}

function valueSize(json: Json): number {
  if (json === null || typeof json === 'boolean') return 2
  if (typeof json === 'number') return 9
  if (typeof json === 'string') return 1 + varintSize(Buffer.byteLength(json)) + Buffer.byteLength(json)
  if (isArray(json))
    return delimited(json.reduce<number>((size, each) => size + delimited(valueSize(each)), 0))
  return delimited(structSize(json))
}

const isArray = (json: Json): json is readonly Json[] => Array.isArray(json)

/** A point in time, in milliseconds since 1970. */
export function timestamp(): FieldType<number | undefined> {
  return {
    absent: undefined,
    read: (reader) => {
      const token = reader.read()
      if (token.kind !== 'string') return reader.unexpected(token)
      return timeOf(token.text) ?? reader.fail(token, `invalid google.protobuf.Timestamp value ${token.raw}`)
    },
    problems: () => [],
    write: (time, empty) => (time === undefined ? (empty ? null : undefined) : textOfTime(time)),
    size: () => 0,
  }
}

// Protobuf leaves out a fraction of zero.
const textOfTime = (time: number): string => new Date(time).toISOString().replace('.000Z', 'Z')

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[-+]\d\d:\d\d)$/

/** Of a time of RFC 3339, as Go's `time.Parse` takes it; undefined where it is none. */
export function timeOf(text: string): number | undefined {
  const time = rfc3339.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}
