import type { KeyType, ScalarType } from '../value/typing.ts'
import type { MapKey, ScalarValue } from '../value/value.ts'

/** Python's `isinstance`: a bool is an int as well. */
export function isSubtypeValue(type: ScalarType | KeyType, value: MapKey, as?: ScalarValue['as']): boolean {
  switch (type.kind) {
    case 'any':
      return true
    case 'enum':
      return as === type
    case 'path':
      return as === 'path'
    case 'int':
      return as === undefined && (typeof value === 'bigint' || typeof value === 'boolean')
    case 'float':
      return typeof value === 'number'
    case 'bool':
      return typeof value === 'boolean'
    case 'str':
      return as === undefined && typeof value === 'string'
    case 'bytes':
    default:
      return value instanceof Uint8Array
  }
}
