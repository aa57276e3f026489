import { isSubtype, type StructType, typeText } from '../value/typing.ts'
import type { MapKey } from '../value/value.ts'
import { childOf, elementHint, type Input, isDraft } from './access.ts'
import { isSpecialText } from './convert.ts'
import { maybeDereferenced } from './dereference.ts'
import { type Draft, flagOf, isNull, type ListDraft, type MapDraft, pathTo, scalarAt } from './draft.ts'
import { typedError } from './typed-error.ts'

/** What Python's `type()` tells of a value, as far as it matters; undefined for null. */
type TypeOf = 'dict' | 'list' | 'scalar' | StructType | undefined

function typeOf(input: Input): TypeOf {
  if (!isDraft(input)) {
    if (input.kind === 'scalar') return input.value === null ? undefined : 'scalar'
    return input.kind === 'list' ? 'list' : (input.typing?.struct ?? 'dict')
  }
  if (input.shape === 'scalar') return 'scalar'
  if (input.shape === 'list') return 'list'
  const value = input.special?.value
  return value === null || value === '???' ? undefined : (input.struct ?? 'dict')
}

/** The text of null, `???` or an interpolation; undefined for a value. */
function specialOf(input: Input): string | null | undefined {
  const scalar = isDraft(input) ? scalarAt(input) : input.kind === 'scalar' ? input : undefined
  if (scalar === undefined) return undefined
  if (scalar.value === null) return null
  return isSpecialText(scalar.value) ? scalar.value : undefined
}

/** @throws {HydraConfigError} where the item of a map cannot hold the value */
export function validateMapItem(parent: MapDraft, key: MapKey, input: Input): void {
  const special = specialOf(input)
  if (special === null) {
    const optional = childOf(parent, key)?.hint.optional ?? elementHint(parent).optional
    if (!optional) throw notOptional(parent, key)
    return
  }
  if (special !== undefined) return
  const target = childOf(parent, key)
  if (target?.shape === 'map') validateMap(target, input)
}

/** @throws {HydraConfigError} where the map cannot become the value */
export function validateMap(draft: MapDraft, input: Input): void {
  const special = specialOf(input)
  if (special === null && !draft.hint.optional) throw notOptional(draft)
  const { type } = draft.hint
  if (special !== undefined || type.kind === 'any') return
  const given = typeOf(input)
  const fits = type.kind === 'struct' ? typeof given === 'object' && isSubtype(given, type) : given === 'dict'
  if (fits) return
  const name = typeof given === 'object' ? given.name : (given ?? 'null')
  throw typedError('ValidationError', `a ${name} is no ${typeText(draft.hint)}`, { path: pathTo(draft) })
}

/** @throws {HydraConfigError} where the item of a list cannot hold the value */
export function validateListItem(parent: ListDraft, index: MapKey, input: Input): void {
  if (flagOf(parent, 'readonly') === true) {
    throw typedError('ReadonlyConfigError', `${pathTo(parent)} is readonly`, { path: pathTo(parent, index) })
  }
  const isNothing = !isDraft(input) && input.kind === 'scalar' && input.value === null
  const target = parent.special === undefined ? parent.items.get(Number(index)) : undefined
  if (isNothing && target !== undefined && !target.hint.optional) throw notOptional(parent, index)
  if (specialOf(input) === '???') return
  const { type, optional } = elementHint(parent)
  const given = typeOf(input)
  const isOther =
    type.kind === 'struct' && given !== undefined && !(typeof given === 'object' && isSubtype(given, type))
  if ((given === undefined && !optional) || isOther) {
    const name = typeof given === 'object' ? given.name : (given ?? 'null')
    throw typedError('ValidationError', `a ${name} is no ${typeText({ type, optional })}`, {
      path: pathTo(parent, index),
    })
  }
}

/**
 * Whether something may be merged into a map: no null, nor what leads to it, where none is taken; into a struct a map
 * or a struct that is one of it.
 * @throws {HydraConfigError} `CONFIG_INVALID` of class `ValidationError`
 */
export function validateMerge(dest: MapDraft, src: Draft): void {
  const resolved = maybeDereferenced(src)
  if (resolved !== undefined && isNull(resolved) && !dest.hint.optional) throw notOptional(dest)
  if (scalarAt(dest)?.value === '???' && hasOwnType(src)) validateMap(dest, src)
  if (scalarAt(src)?.value === '???' || isNull(src) || dest.struct === undefined) return
  const given = typeOf(src)
  if (given === 'dict' || (typeof given === 'object' && isSubtype(given, dest.struct))) return
  const name = typeof given === 'object' ? given.name : (given ?? 'null')
  throw typedError('ValidationError', `a ${name} is no ${dest.struct.name}`, {
    path: pathTo(dest),
    origin: src.origin,
  })
}

/** Whether it is of a type that is more than that of any map or scalar. */
function hasOwnType(draft: Draft): boolean {
  if (draft.shape === 'map') return draft.struct !== undefined
  if (draft.shape === 'list') return draft.special === undefined
  return draft.hint.type.kind !== 'any' && draft.hint.type.kind !== 'union'
}

function notOptional(draft: Draft, below?: MapKey): Error {
  const path = pathTo(draft, below)
  return typedError('ValidationError', `field '${path}' is not Optional`, { path })
}
