import { type Element, isDict, isList, isQuoted } from './override.ts'
import { refuse, typeName } from './refuse.ts'

/** Python's `a < b`, which refuses values of different kinds. */
export function pythonOrder(a: Element, b: Element): boolean {
  if (isNumeric(a) && isNumeric(b)) return a < b
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b) < 0
  if (isList(a) && isList(b)) {
    for (const [at, item] of a.entries()) {
      const other = b[at]
      if (other === undefined) return false
      if (!pythonEqual(item, other)) return pythonOrder(item, other)
    }
    return a.length < b.length
  }
  return refuse(`'<' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`)
}

/** Python's `a == b`. */
function pythonEqual(a: Element, b: Element): boolean {
  if (isNumeric(a) && isNumeric(b)) return scalarEqual(a, b)
  if (isList(a) && isList(b)) {
    return a.length === b.length && a.every((item, at) => pythonEqual(item, b[at] ?? null))
  }
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b
  if (isList(a) || isList(b)) return false
  if (isQuoted(a) && isQuoted(b)) return a.text === b.text && a.quote === b.quote
  if (isDict(a) && isDict(b)) {
    return (
      a.pairs.length === b.pairs.length &&
      a.pairs.every(([key, value]) =>
        b.pairs.some(([other, its]) => pythonEqual(key, other) && pythonEqual(value, its)),
      )
    )
  }
  return false
}

/** Python's `a == b` of scalars. */
export function scalarEqual(a: unknown, b: unknown): boolean {
  // biome-ignore lint/suspicious/noDoubleEquals: 1 and 1.0 are equal, exactly, whatever their kinds.
  return a === b || (isNumeric(a) && isNumeric(b) && Number(a) === Number(b) && a == b)
}

function isNumeric(value: unknown): value is boolean | bigint | number {
  return typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'number'
}

/** Below, at or above 0: the order of the characters, which is not that of UTF-16. */
function compareCodePoints(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)]
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
