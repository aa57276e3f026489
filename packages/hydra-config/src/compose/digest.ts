import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { pythonFloat } from '../value/python-text.ts'
import type { Scalar, ScalarValue, Value } from '../value/value.ts'

/** SHA-256, in hexadecimal, of a value: the order of keys does not count, types do, secrets are left out. */
export function digestOf(value: Value): string {
  return bytesToHex(sha256(utf8ToBytes(canonical(value))))
}

/** A text that two values share where they are equal and only there; of a secret only that it is one. */
function canonical(value: Value): string {
  if (value.kind === 'scalar') return canonicalScalar(value)
  if (value.kind === 'list') return `[${value.items.map(canonical).join('')}]`
  const entries = [...value.entries].map(([key, item]) => scalarText(key) + canonical(item))
  return `{${entries.toSorted().join('')}}`
}

function canonicalScalar(value: ScalarValue): string {
  return value.secret === true ? '*' : scalarText(value.value)
}

function scalarText(value: Scalar): string {
  if (value === null) return 'n'
  if (typeof value === 'boolean') return value ? 't' : 'f'
  if (typeof value === 'bigint') return `i${value};`
  if (typeof value === 'number') return `d${pythonFloat(value)};`
  if (typeof value === 'string') return `s${value.length}:${value}`
  return `b${bytesToHex(value)};`
}
