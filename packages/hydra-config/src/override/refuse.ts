import { HydraConfigError } from '../errors.ts'
import { type Element, isList } from './override.ts'

/** Throws what a function says of its arguments; the parser adds where that was. */
export function refuse(message: string): never {
  throw new HydraConfigError('OVERRIDE_PARSE', message, { class: 'OverrideParseException' })
}

/** What `value` is, in the words of the grammar, for messages. */
export function kindOf(value: Element): string {
  if (value === null) return 'null'
  if (isList(value)) return 'a list'
  if (typeof value === 'object') return value.kind === 'quoted' ? 'a quoted string' : `a ${value.kind}`
  if (typeof value === 'bigint') return 'an integer'
  return typeof value === 'number' ? 'a float' : `a ${typeof value}`
}
