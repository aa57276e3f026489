import { type Element, isList } from '../override/override.ts'
import type { Place } from '../override/places.ts'
import { list, map, type OverrideOrigin, scalar, type Value } from '../value/value.ts'

/**
 * The value of an override as a configuration holds it: quoted strings without their quotes.
 * @param origin of the whole value; its parts get theirs by `place`
 */
export function valueOf(element: Element, origin?: OverrideOrigin, place?: Place): Value {
  const part = (item: Element, index: number): Value => {
    const at = place?.parts[index]
    return valueOf(item, origin && at ? { ...origin, start: at.start, end: at.end } : origin, at)
  }
  if (isList(element)) return list(element.map(part), origin)
  if (element === null || typeof element !== 'object') return scalar(element, origin)
  if (element.kind === 'quoted') return scalar(element.text, origin)
  if (element.kind === 'dict') {
    return map(
      element.pairs.map(([key, item], index) => [key, part(item, index)] as const),
      origin,
    )
  }
  throw new TypeError(`a ${element.kind} is no value`)
}
