import { childOf } from '../compose/path-edit.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { pythonString, scalarString } from '../value/python-string.ts'
import { redact } from '../value/secret.ts'
import type { Value } from '../value/value.ts'
import { findRaw } from './find-raw.ts'

/** What a word may become by the keys of a configuration: `db.` before what is below, `port=` before a value. */
export function configMatches(root: Value, word: string, options: ResolveOptions): readonly string[] {
  if (/[.=]$/.test(word)) {
    const key = word.slice(0, -1)
    const found = valueAt(root, key, options)
    if (found === undefined) return isMissing(root, key) ? [word] : []
    if (found.kind !== 'scalar') return keysOf(found, '').map((match) => word + match)
    const text = typeof found.value === 'boolean' ? String(found.value) : pythonString(redact(found))
    return [word + text]
  }
  const dot = word.lastIndexOf('.')
  if (dot === -1) return keysOf(root, word)
  const base = word.slice(0, dot)
  const found = valueAt(root, base, options)
  return found === undefined ? [] : keysOf(found, word.slice(dot + 1)).map((match) => `${base}.${match}`)
}

function valueAt(root: Value, path: string, options: ResolveOptions): Value | undefined {
  return path === '' ? root : findRaw(root, path, options)?.value
}

function keysOf(container: Value, start: string): string[] {
  if (container.kind === 'scalar') return []
  const items =
    container.kind === 'map'
      ? [...container.entries].map(([key, value]) => [scalarString(key), value] as const)
      : container.items.map((value, index) => [String(index), value] as const)
  return items
    .filter(([key, value]) => key.startsWith(start) || (container.kind === 'list' && isMissing(value, '')))
    .map(([key, value]) => (value.kind === 'scalar' ? `${key}=` : `${key}.`))
}

/** Whether `???` stands at the path or on the way to it, read without interpolation. */
function isMissing(from: Value, path: string): boolean {
  let found: Value | undefined = from
  for (const step of path === '' ? [] : path.split('.')) {
    if (isMark(found)) return true
    const isThere: boolean = found?.kind === 'map' || (found?.kind === 'list' && /^\d+$/.test(step))
    found = isThere && found !== undefined ? childOf(found, step) : undefined
  }
  return isMark(found)
}

function isMark(value: Value | undefined): boolean {
  return value?.kind === 'scalar' && value.value === '???'
}
