import { HydraConfigError } from '../errors.ts'
import { type Element, isList } from './override.ts'

/** The exceptions of Python that a function of the grammar raises. */
type PythonError = 'AssertionError' | 'HydraException' | 'TypeError' | 'ValueError'

/** Throws what a function says of its arguments; the parser adds where that was. */
export function refuse(message: string, ofClass: PythonError = 'TypeError'): never {
  throw new HydraConfigError('OVERRIDE_PARSE', message, { class: ofClass })
}

/** Throws that an argument is not of the types of its parameter, in Hydra's words. */
export function refuseType(parameter: string, value: Element, types: string): never {
  return refuse(`mismatch type argument ${parameter}: ${typeName(value)} is incompatible with ${types}`)
}

/** Python's name of the type of a value. */
export function typeName(value: Element): string {
  if (value === null) return 'NoneType'
  if (isList(value)) return 'list'
  if (typeof value === 'object') return typeNames[value.kind]
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'str'
  return typeof value === 'bigint' ? 'int' : 'float'
}

const typeNames = {
  choice: 'ChoiceSweep',
  dict: 'dict',
  glob: 'Glob',
  interval: 'IntervalSweep',
  quoted: 'QuotedString',
  range: 'RangeSweep',
} as const

/** What `value` is, in the words of the grammar, for messages. */
export function kindOf(value: Element): string {
  if (value === null) return 'null'
  if (isList(value)) return 'a list'
  if (typeof value === 'object') return value.kind === 'quoted' ? 'a quoted string' : `a ${value.kind}`
  if (typeof value === 'bigint') return 'an integer'
  return typeof value === 'number' ? 'a float' : `a ${typeof value}`
}
