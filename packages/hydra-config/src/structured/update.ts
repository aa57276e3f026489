import { splitKey } from '../interpolation/split-key.ts'
import { parsePythonInt } from '../override/python-numbers.ts'
import type { UpdateMode } from '../value/typing.ts'
import { type MapKey, map, type Value } from '../value/value.ts'
import { childOf } from './access.ts'
import { dereferenced } from './dereference.ts'
import {
  type ContainerDraft,
  type Draft,
  type DraftOptions,
  freeze,
  isMissing,
  isNull,
  type ListDraft,
  pathTo,
  thaw,
  withFlags,
} from './draft.ts'
import { mergeDrafts } from './merge-drafts.ts'
import { put, setItem } from './set.ts'
import { typedError } from './typed-error.ts'
import { validateListItem } from './validate-set.ts'

/** As `update`. */
export function updated(
  config: Value,
  path: string,
  value: Value,
  options: DraftOptions & UpdateMode,
): Value {
  const { merge = true, forceAdd = false } = options
  const root = thaw(config, options)
  if (root.shape === 'scalar') throw typedError('AssertionError', 'there is no map or list to update')
  const keys = splitKey(path)
  const last = keys.pop() ?? ''
  let parent: ContainerDraft = root
  for (const key of keys) parent = stepInto(parent, key, forceAdd)
  const flags = forceAdd ? { struct: false } : {}
  const at = parent
  withFlags(at, flags, () => assign(at, last, value, merge))
  return freeze(root, options.copies)
}

function stepInto(parent: ContainerDraft, key: string, forceAdd: boolean): ContainerDraft {
  const at = keyIn(parent, key)
  const next = at === undefined ? undefined : peekSafe(parent, at)
  const isThere = next !== undefined && next.shape !== 'scalar'
  if (next === undefined && parent.shape === 'list') throw noItem(parent, at ?? 0n, map([]))
  if (!isThere)
    withFlags(parent, forceAdd ? { struct: false } : {}, () => setItem(parent, at ?? key, map([])))
  const made = childOf(parent, at ?? key)
  if (made === undefined || isNull(made))
    throw typedError('AssertionError', `${pathTo(parent, key)} is no map`)
  if (isMissing(made)) throw typedError('MissingMandatoryValue', `${pathTo(made)} is missing (???)`)
  const target = dereferenced(made)
  if (target.shape === 'scalar') throw typedError('AssertionError', `${pathTo(made)} is no map`)
  return target
}

function peekSafe(parent: ContainerDraft, key: MapKey): Draft | undefined {
  if (parent.special !== undefined) return undefined
  return parent.shape === 'list' ? parent.items.get(Number(key)) : parent.entries.get(key)
}

function keyIn(parent: ContainerDraft, key: string): MapKey | undefined {
  if (parent.shape === 'map') return key
  const index = parsePythonInt(key)
  if (index === undefined) throw typedError('TypeError', `'${key}' is no index of ${pathTo(parent)}`)
  return index
}

function assign(parent: ContainerDraft, key: string, value: Value, merge: boolean): void {
  const isMerged = merge && value.kind !== 'scalar'
  const at = parent.shape === 'list' ? indexOf(parent, key, value, isMerged) : key
  if (isMerged) {
    const there = childOf(parent, at)
    if (there !== undefined && there.shape !== 'scalar') {
      const src = thaw(value, parent.options)
      if (src.shape !== 'scalar') return mergeDrafts(there, src)
    }
  }
  if (parent.shape === 'map') put(parent, at, value)
  else setItem(parent, at, value)
}

/** @param isRead whether the item is read first: that it is not there is told before that the list is read-only */
function indexOf(parent: ListDraft, key: string, value: Value, isRead: boolean): bigint {
  const index = parsePythonInt(key)
  if (index === undefined) throw typedError('ValueError', `'${key}' is no index of ${pathTo(parent)}`)
  const { length } = parent.items
  const from = index < 0n ? index + BigInt(length) : index
  if (from >= 0n && from < BigInt(length)) return from
  throw isRead && parent.special === undefined ? indexError(parent, index) : noItem(parent, index, value)
}

/** That a list cannot hold the value is told before that there is no such item. */
function noItem(parent: ListDraft, index: MapKey, value: Value): Error {
  validateListItem(parent, index, value)
  return indexError(parent, index)
}

function indexError(parent: ListDraft, index: MapKey): Error {
  const path = pathTo(parent, index)
  return typedError('ConfigIndexError', `${pathTo(parent)} has no item ${String(index)}`, { path })
}
