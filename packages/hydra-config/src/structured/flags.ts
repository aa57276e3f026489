import { splitKey } from '../interpolation/split-key.ts'
import { scalarString } from '../value/python-string.ts'
import { changed } from '../value/secret.ts'
import { anyHint, type FlagChange, type TypeRules } from '../value/typing.ts'
import { type MapKey, sameKey, type Value } from '../value/value.ts'
import { typedError } from './typed-error.ts'

/** As `withFlagsAt`; what gets a flag takes `rules` along. */
export function flagged(config: Value, path: string, flags: FlagChange, rules: TypeRules): Value {
  return at(config, path === '' ? [] : splitKey(path), (value) => {
    const { readonly: isReadonly, struct } = { ...value.typing?.flags, ...flags }
    const set = {
      ...(isReadonly === undefined ? {} : { readonly: isReadonly }),
      ...(struct === undefined ? {} : { struct }),
    }
    const typing = { ...anyHint, rules, ...value.typing, flags: set }
    return value.kind === 'scalar' ? changed(value, { typing }) : { ...value, typing }
  })
}

function at(value: Value, keys: readonly string[], change: (value: Value) => Value): Value {
  const [key, ...rest] = keys
  if (key === undefined) return change(value)
  if (value.kind === 'list') {
    const item = /^[0-9]+$/.test(key) ? value.items[Number(key)] : undefined
    if (item === undefined) throw unknown(key)
    return { ...value, items: value.items.with(Number(key), at(item, rest, change)) }
  }
  const known = value.kind === 'map' ? keyNamed(value.entries, key) : undefined
  const item = value.kind === 'map' && known !== undefined ? value.entries.get(known) : undefined
  if (value.kind === 'scalar' || known === undefined || item === undefined) throw unknown(key)
  return { ...value, entries: new Map(value.entries).set(known, at(item, rest, change)) }
}

function keyNamed(entries: ReadonlyMap<MapKey, Value>, name: string): MapKey | undefined {
  return sameKey(entries, name) ?? entries.keys().find((key) => scalarString(key) === name)
}

function unknown(key: string): Error {
  return typedError('ConfigKeyError', `there is nothing at '${key}' to set a flag of`)
}
