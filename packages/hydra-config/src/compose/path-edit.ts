import { HydraConfigError } from '../errors.ts'
import { type ListValue, list, type MapKey, type MapValue, map, type Value } from '../value/value.ts'

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
export function withChild(container: Value, key: string, value: Value): Value {
  if (container.kind === 'list') {
    const index = indexOf(key)
    if (index >= container.items.length) {
      throw new HydraConfigError('COMPOSITION', `the list has no item ${key}`, {
        class: 'ConfigCompositionException',
      })
    }
    return { ...container, items: container.items.with(index, value) }
  }
  if (container.kind === 'scalar') return map([[key, value]], container.origin)
  return { ...container, entries: map([...container.entries, [key, value] as const]).entries }
}

export function withoutChild(container: MapValue, key: MapKey): MapValue {
  const entries = new Map(container.entries)
  entries.delete(key)
  return { ...container, entries }
}

export function withoutItem(container: ListValue, key: string): ListValue {
  return list(container.items.toSpliced(indexOf(key), 1), container.origin)
}

/** @throws {HydraConfigError} `COMPOSITION` for a key that is no index */
function indexOf(key: string, ofClass: 'TypeError' | 'ValueError' = 'TypeError'): number {
  if (/^[0-9]+(?:_[0-9]+)*$/.test(key)) return Number(key.replaceAll('_', ''))
  throw new HydraConfigError('COMPOSITION', `'${key}' is no index of a list`, { class: ofClass })
}
