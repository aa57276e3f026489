import { OwnCopies } from '../value/own-copies.ts'
import { type ListValue, list, type MapKey, type MapValue, map, type Value } from '../value/value.ts'
import { refuse } from './refuse.ts'

/**
 * What stands at `key` of a container: undefined where nothing does. A list takes a key of digits.
 * @throws {HydraConfigError} `COMPOSITION` of class `ofClass` for a key of a list that is none
 */
export function childOf(
  container: Value,
  key: string,
  ofClass: 'TypeError' | 'ValueError' = 'TypeError',
): Value | undefined {
  if (container.kind === 'map') return container.entries.get(key)
  return container.kind === 'list' ? container.items[indexOf(key, ofClass)] : undefined
}

/**
 * The container with `value` at `key`.
 * @throws {HydraConfigError} `COMPOSITION` for a list that has no such item
 */
export function withChild(
  container: Value,
  key: string,
  value: Value,
  copies: OwnCopies = new OwnCopies(),
): Value {
  if (container.kind === 'list') {
    const index = indexOf(key)
    if (index >= container.items.length) {
      refuse('list index out of range', 'ConfigIndexError')
    }
    const items = copies.items(container.items)
    items[index] = value
    return { ...container, items }
  }
  if (container.kind === 'scalar') return map([[key, value]], container.origin)
  return { ...container, entries: copies.entries(container.entries).set(key, value) }
}

export function withoutChild(
  container: MapValue,
  key: MapKey,
  copies: OwnCopies = new OwnCopies(),
): MapValue {
  const entries = copies.entries(container.entries)
  entries.delete(key)
  return { ...container, entries }
}

export function withoutItem(container: ListValue, key: string): ListValue {
  return list(container.items.toSpliced(indexOf(key), 1), container.origin)
}

/** @throws {HydraConfigError} `COMPOSITION` for a key that is no index */
function indexOf(key: string, ofClass: 'TypeError' | 'ValueError' = 'TypeError'): number {
  if (/^[0-9]+(?:_[0-9]+)*$/.test(key)) return Number(key.replaceAll('_', ''))
  return refuse(`'${key}' is no index of a list`, ofClass)
}
