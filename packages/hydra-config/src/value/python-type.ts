import type { Value } from './value.ts'

/** Python's name of the type of a value, as `type(value).__name__` has it. */
export function pythonType(value: Value): string {
  if (value.kind !== 'scalar') return value.kind === 'map' ? 'dict' : 'list'
  const plain = value.value
  if (plain === null) return 'NoneType'
  if (plain instanceof Uint8Array) return 'bytes'
  return { boolean: 'bool', bigint: 'int', number: 'float', string: 'str' }[
    typeof plain as 'boolean' | 'bigint' | 'number' | 'string'
  ]
}
