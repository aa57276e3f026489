import { type Element, isList, isSwept, type ListFunction, type QuotedString } from '../override/override.ts'
import { pythonFloat } from '../value/python-text.ts'

/**
 * A value as it is written behind `=`, so that it reads as the same value again: strings escaped or quoted as they
 * were, booleans and floats as Python prints them.
 */
export function valueText(value: Element): string {
  if (value === null) return 'null'
  if (isList(value)) return `[${value.map(valueText).join(',')}]`
  if (typeof value === 'string') return value.replace(/[\\()[\]{}:=, \t]/g, '\\$&')
  if (typeof value === 'number') return pythonFloat(value)
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'bigint') return String(value)
  if (isSwept(value)) throw new TypeError('a sweep inside a value has no text')
  if (value.kind === 'quoted') return quotedText(value)
  return `{${value.pairs.map(([key, item]) => `${valueText(key)}:${valueText(item)}`).join(',')}}`
}

/** Backslashes are doubled where a quote of its kind, or the end, follows them. */
function quotedText({ text, quote }: QuotedString): string {
  const doubled = `${text}${quote}`.replace(/(\\+)(['"])/g, (run, backslashes: string, next: string) =>
    next === quote ? `${backslashes}${run}` : run,
  )
  return `${quote}${doubled.slice(0, -1).replaceAll(quote, `\\${quote}`)}${quote}`
}

/** `append(a,b)` and its like, as they are written behind `=`. */
export function listFunctionText({ name, index, items }: ListFunction): string {
  const indexed = name === 'insert' || name === 'pop' ? [String(index)] : []
  return `${name}(${[...indexed, ...items.map(valueText)].join(',')})`
}
