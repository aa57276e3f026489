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
  switch (typeof value) {
    case 'boolean':
      return 'a boolean'
    case 'bigint':
      return 'an integer'
    case 'number':
      return 'a float'
    case 'string':
      return 'a string'
    default:
      return value.kind === 'quoted' ? 'a quoted string' : `a ${value.kind}`
  }
}
