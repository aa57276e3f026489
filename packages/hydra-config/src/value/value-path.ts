import { splitKey } from '../interpolation/split-key.ts'
import { scalarString } from './python-string.ts'
import type { Value } from './value.ts'

/** The keys of a path such as `db.ports[0]` or `annotations[a.b]`, as OmegaConf's `select` cuts it; of '' none. */
export function keysOf(path: string): readonly string[] {
  return path === '' ? [] : splitKey(path)
}

/** What stands at a key: an item by its digits, an entry by its key as text (`1`, `True`). */
export function childAt(container: Value, key: string): Value | undefined {
  if (container.kind === 'scalar') return undefined
  if (container.kind === 'list') return /^[0-9]+$/.test(key) ? container.items[Number(key)] : undefined
  const found = container.entries.get(key)
  if (found !== undefined) return found
  for (const [each, value] of container.entries) if (scalarString(each) === key) return value
  return undefined
}

/** What stands at a path of keys as it is written: interpolations on the way are not followed. */
export function valueAt(root: Value, keys: readonly string[]): Value | undefined {
  let found: Value | undefined = root
  for (const key of keys) {
    if (found === undefined) return undefined
    found = childAt(found, key)
  }
  return found
}

/** The path of a child: `db.port`, `ports[0]`, `annotations[a.b]`. */
export function childPath(path: string, key: string, container: Value): string {
  if (container.kind === 'list' || /[.[]|^$/.test(key)) return `${path}[${key}]`
  return path === '' ? key : `${path}.${key}`
}

/** The path `below` as seen from the root. */
export function joinedPath(path: string, below: string): string {
  if (path === '' || below === '' || below.startsWith('[')) return path + below
  return `${path}.${below}`
}

/** The keys of a container as text, in their order. */
export function keyTexts(container: Value): string[] {
  if (container.kind === 'map') return [...container.entries.keys()].map(scalarString)
  return container.kind === 'list' ? container.items.map((_, index) => String(index)) : []
}
