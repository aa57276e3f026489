import { pythonFloat } from './python-text.ts'
import type { EnumType } from './typing.ts'
import type { Scalar, ScalarValue, Value } from './value.ts'

/** Python's `str()` of a value, as text with an interpolation in it shows it: `None`, `True`, `{'a': [1]}`. */
export function pythonString(value: Value): string {
  if (value.kind !== 'scalar' || typeof value.value !== 'string') return pythonRepr(value)
  return isMember(value) ? `${value.as.name}.${value.value}` : value.value
}

function isMember(value: ScalarValue): value is ScalarValue & { readonly as: EnumType } {
  return typeof value.as === 'object'
}

/** Python's `repr()` of a value. */
function pythonRepr(value: Value): string {
  if (value.kind === 'list') return `[${value.items.map(pythonRepr).join(', ')}]`
  if (value.kind === 'scalar') return typedRepr(value)
  const entries = [...value.entries].map(([key, item]) => `${scalarRepr(key)}: ${pythonRepr(item)}`)
  return `{${entries.join(', ')}}`
}

function typedRepr(value: ScalarValue): string {
  if (value.as === 'path') return `PosixPath(${scalarRepr(value.value)})`
  if (!isMember(value)) return scalarRepr(value.value)
  const of = value.as.members.get(scalarString(value.value)) ?? null
  return `<${pythonString(value)}: ${scalarRepr(of)}>`
}

/** Python's `str()` of a scalar, which is also how a key of a path is written. */
export function scalarString(value: Scalar): string {
  return typeof value === 'string' ? value : scalarRepr(value)
}

function scalarRepr(value: Scalar): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return pythonFloat(value)
  if (typeof value === 'string') return stringRepr(value)
  return value instanceof Uint8Array ? bytesRepr(value) : String(value)
}

const shortEscapes: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\r', '\\r'],
])

export function stringRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  let escaped = ''
  for (const character of text) escaped += escapeCharacter(character, quote)
  return quote + escaped + quote
}

function escapeCharacter(character: string, quote: string): string {
  if (character === quote) return `\\${character}`
  const short = shortEscapes.get(character)
  if (short !== undefined) return short
  // What Python does not hold printable: controls, formats, surrogates, private use, unassigned and blanks but ' '.
  if (character === ' ' || !/[\p{C}\p{Z}]/u.test(character)) return character
  const code = character.codePointAt(0) ?? 0
  const digits = code.toString(16)
  if (code <= 0xff) return `\\x${digits.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`
}

function bytesRepr(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  return `b${stringRepr(text).replace(/[^ -~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`)}`
}
