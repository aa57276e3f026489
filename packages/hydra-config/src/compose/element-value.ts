import { dictOf } from '../override/dict.ts'
import { type DictKey, type Element, isList } from '../override/override.ts'
import type { Place } from '../override/places.ts'
import { list, type MapKey, map, type OverrideOrigin, scalar, type Value } from '../value/value.ts'

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

/** The same the other way round, to be compared. */
export function elementOf(value: Value): Element {
  if (value.kind === 'list') return value.items.map(elementOf)
  if (value.kind === 'map') {
    return dictOf([...value.entries].map(([key, item]) => [keyOf(key), elementOf(item)] as const))
  }
  return keyOf(value.value)
}

function keyOf(key: MapKey): DictKey {
  return key instanceof Uint8Array ? String(key) : key
}
