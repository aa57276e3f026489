import { isHydraConfigError, placed } from '../errors.ts'
import type { Hint, MergeMode, StructType } from '../value/typing.ts'
import { type MapKey, scalar, type Value } from '../value/value.ts'
import { elementHint, isDraft, normalizedKey, peek } from './access.ts'
import { dereferenced, maybeDereferenced } from './dereference.ts'
import {
  type ContainerDraft,
  copyOf,
  type Draft,
  type DraftOptions,
  flagOf,
  freeze,
  isInterpolation,
  isMissing,
  isNull,
  type ListDraft,
  type MapDraft,
  pathTo,
  type ScalarDraft,
  scalarAt,
  thaw,
  withFlags,
} from './draft.ts'
import { ItemDrafts } from './drafts.ts'
import { append, deepenHint, itemsOf, setItem, setValue, wrap } from './set.ts'
import { typedError } from './typed-error.ts'
import { validateMerge } from './validate-set.ts'

/**
 * Merges `src` into `dest` as OmegaConf does with nodes that have types and flags; `src` stays as it is.
 * @throws {HydraConfigError} of the class of OmegaConf's error
 */
export function mergeDrafts(dest: ContainerDraft, src: ContainerDraft): void {
  if (dest.shape === 'map' && src.shape === 'map') mergeMaps(dest, src)
  else if (dest.shape === 'list' && src.shape === 'list') mergeLists(dest, src)
  else {
    throw typedError(
      'ConfigTypeError',
      `${pathTo(dest)}: a ${src.shape} cannot be merged into a ${dest.shape}`,
      {
        path: pathTo(dest),
        origin: src.origin,
      },
    )
  }
}

function mergeMaps(dest: MapDraft, given: MapDraft): void {
  if (isNull(given) || isInterpolation(given)) {
    setValue(dest, scalarAt(given) ?? scalar(null))
    takeTypes(dest, given)
    return
  }
  validateMerge(dest, given)
  let src = given
  if (isMissing(given) && !isMissing(dest) && given.hint.type.kind === 'struct' && !given.hint.optional) {
    src = allMissing(given.hint.type, given)
  }
  if ((isInterpolation(dest) || isMissing(dest)) && !isMissing(src)) expand(dest)
  const added = new Set(src.entries.keys().filter((key) => !dest.entries.has(key)))
  if (!isMissing(src)) {
    for (const [key, item] of src.entries) placed(item, () => mergeEntry(dest, key, item, src.struct))
  }
  takeTypes(dest, src, added)
  if (src.origin !== undefined && dest.origin?.kind === 'schema-default') dest.origin = src.origin
  Object.assign(dest.flags, src.flags)
}

function mergeEntry(dest: MapDraft, key: MapKey, src: Draft, ofStruct: StructType | undefined): void {
  const isSrcMissing = isMissing(src)
  let old = peekKey(dest, key)
  if (old?.shape === 'map') validateMerge(old, src)
  if (
    old !== undefined &&
    old.shape !== 'scalar' &&
    isNull(old) &&
    !isSrcMissing &&
    !isNull(dereferenced(src))
  ) {
    expand(old)
  }
  if (old !== undefined && isInterpolation(old)) {
    const target = maybeDereferenced(old)
    if (target !== undefined && target.shape !== 'scalar') {
      setItem(dest, key, target)
      old = peekKey(dest, key)
    }
  }
  const element = elementHint(dest)
  if (old === undefined && element.type.kind === 'struct' && !isSrcMissing) {
    setItem(dest, key, structDraft(element, dest))
    old = peekKey(dest, key)
  }
  if (old === undefined) {
    if (ofStruct === undefined) setItem(dest, key, src)
    else withFlags(dest, { struct: false }, () => setItem(dest, key, src))
  } else if (old.shape !== 'scalar') {
    if (src.shape !== 'scalar') mergeDrafts(old, src)
    else if (!isSrcMissing) setItem(dest, key, src)
  } else if (src.shape !== 'scalar') {
    setItem(dest, key, src)
  } else {
    mergeScalar(dest, key, old, src)
  }
}

function mergeScalar(dest: MapDraft, key: MapKey, old: ScalarDraft, src: ScalarDraft): void {
  if (old.hint.type.kind !== 'any') {
    if (!isMissing(src)) setValue(old, src.scalar)
    return
  }
  if (!isMissing(src)) return setItem(dest, key, src)
  // What is missing takes what is there, as far as its own type does.
  const node = copyOf(src)
  node.parent = src.parent
  setValue(node, old.scalar)
  setItem(dest, key, node)
}

function peekKey(dest: MapDraft, key: MapKey): Draft | undefined {
  try {
    return peek(dest, normalizedKey(dest, key))
  } catch (error) {
    if (isHydraConfigError(error) && error.class === 'KeyValidationError') return undefined
    throw error
  }
}

/** Gives what is null, missing or an interpolation the empty value of its type, of a struct its defaults. */
function expand(draft: ContainerDraft): void {
  const { type } = draft.hint
  if (type.kind === 'struct') setValue(draft, type.initial())
  else if (type.kind === 'list') setValue(draft, { kind: 'list', items: [] })
  else if (draft.shape === 'map') setValue(draft, { kind: 'map', entries: new Map() })
  else throw typedError('AssertionError', `${pathTo(draft)} is a list of no type`, { path: pathTo(draft) })
}

function structDraft(hint: Hint, parent: ContainerDraft): Draft {
  return hint.type.kind === 'struct'
    ? wrap(hint, hint.type.initial(), parent)
    : wrap(hint, scalar(null), parent)
}

/** A struct whose fields are all missing: merged into another one, it changes nothing but the type. */
function allMissing(type: StructType, like: MapDraft): MapDraft {
  const draft = thaw(type.initial(), like.options)
  if (draft.shape !== 'map') throw new TypeError('a struct is a map')
  draft.flags = {}
  for (const item of draft.entries.values()) setValue(item, scalar('???'))
  draft.hint = { type, optional: false }
  return draft
}

function takeTypes(dest: MapDraft, { hint, struct }: MapDraft, added?: ReadonlySet<MapKey>): void {
  if (struct !== undefined) dest.struct = struct
  if (dest.hint.type.kind === 'any') deepenHint(dest, hint, added)
}

function mergeLists(dest: ListDraft, src: ListDraft): void {
  if (isNull(src) || isInterpolation(src)) setValue(dest, scalarAt(src) ?? scalar(null))
  else if (isMissing(src)) {
    const { type } = src.hint
    if (elementHint(dest).type.kind === 'any' && type.kind === 'list') dest.hint = { ...dest.hint, type }
  } else replaceItems(dest, src)
  Object.assign(dest.flags, src.flags)
}

function replaceItems(dest: ListDraft, src: ListDraft): void {
  const element = elementHint(dest)
  const target: ListDraft = { ...dest, flags: { ...dest.flags }, special: undefined, items: new ItemDrafts() }
  const prototype = element.type.kind === 'struct' ? structDraft(element, dest) : undefined
  for (const item of itemsOf(src)) {
    const isMap = isDraft(item) && item.shape === 'map'
    append(target, prototype !== undefined && isMap ? onPrototype(prototype, item) : item)
  }
  dest.special = undefined
  dest.items = target.items
  for (const item of dest.items) item.parent = dest
  if (src.origin !== undefined) dest.origin = src.origin
}

function onPrototype(prototype: Draft, item: MapDraft): Draft {
  const copy = copyOf(prototype)
  return copy.shape === 'map' ? mergedOver(copy, item) : copy
}

/** `OmegaConf.merge` of two: what is readonly can be merged into at its root, and becomes readonly where `src` is. */
function mergedOver(dest: ContainerDraft, src: ContainerDraft): ContainerDraft {
  const turned = withFlags(dest, { readonly: false }, () => {
    mergeDrafts(dest, src)
    return flagOf(dest, 'readonly') === true
  })
  if (turned) dest.flags.readonly = true
  return dest
}

/**
 * Merges `src` into `dest` where one of them has types or flags.
 * @throws {HydraConfigError} of the class of OmegaConf's error
 */
export function mergeTyped(dest: Value, src: Value, options: DraftOptions & MergeMode): Value {
  const [to, from] = [container(thaw(dest, options)), container(thaw(src, options))]
  if (options.heldReadonly !== true) return freeze(mergedOver(to, from))
  mergeDrafts(to, from)
  return freeze(to)
}

function container(draft: Draft): ContainerDraft {
  if (draft.shape !== 'scalar') return draft
  throw typedError('ValueError', 'only maps and lists can be merged')
}
