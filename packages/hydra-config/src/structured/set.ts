import { isHydraConfigError } from '../errors.ts'
import { checkInterpolation } from '../interpolation/check.ts'
import { scalarString } from '../value/python-string.ts'
import { type DictType, type Hint, typeText } from '../value/typing.ts'
import { type MapKey, type ScalarValue, scalar, type Value } from '../value/value.ts'
import { childOf, elementHint, type Input, isDraft, normalizedKey } from './access.ts'
import { convert, isSpecialText } from './convert.ts'
import {
  attach,
  type ContainerDraft,
  copyOf,
  type Draft,
  flagOf,
  isNull,
  isSpecial,
  type ListDraft,
  type MapDraft,
  pathTo,
  type ScalarDraft,
  scalarAt,
  thaw,
  withFlags,
} from './draft.ts'
import { ItemDrafts } from './drafts.ts'
import { isSubtypeValue } from './python-types.ts'
import { typedError } from './typed-error.ts'
import { validateListItem, validateMap, validateMapItem } from './validate-set.ts'

/**
 * Puts a value at a key, as `node[key] = value` does.
 * @throws {HydraConfigError} of the class of OmegaConf's error
 */
export function setItem(parent: ContainerDraft, key: MapKey, input: Input): void {
  try {
    put(parent, key, input)
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    // Where a key is set by `[]`, a key that is not there is a KeyError.
    if (error.class !== 'ConfigAttributeError' && error.class !== 'AttributeError') throw error
    throw typedError('ConfigKeyError', error.message, { path: error.path, origin: error.origin })
  }
}

/** As {@link setItem}, as `node.key = value` does. */
export function put(parent: ContainerDraft, key: MapKey, input: Input): void {
  const at = parent.shape === 'map' ? normalizedKey(parent, key) : key
  const value = isDraft(input) ? copyOf(input) : input
  if (parent.shape === 'map') validateMapItem(parent, at, value)
  else validateListItem(parent, at, value)
  if (flagOf(parent, 'readonly') === true) throw readonlyError(parent, at)
  const target = childOf(parent, at)
  const element = elementHint(parent)
  if (isDraft(value) && isTypedScalar(value) && element.type.kind !== 'union')
    return assign(parent, at, value)
  if (target !== undefined && takesValue(target, value)) {
    return setValue(target, isDraft(value) && isSpecial(value) ? (scalarAt(value) ?? value) : value)
  }
  if (!isDraft(value)) return attach(parent, at, wrap(element, value, parent, at))
  const { kind } = element.type
  const isContainer = kind === 'list' || kind === 'dict' || kind === 'struct'
  if ((isContainer && isSpecial(value)) || (!isContainer && kind !== 'any')) {
    attach(parent, at, wrap(element, scalarAt(value) ?? value, parent, at))
  } else {
    assign(parent, at, value)
  }
}

function assign(parent: ContainerDraft, key: MapKey, value: Draft): void {
  // It stands in its place while it is looked at, for messages and flags.
  deepenHint(value, elementHint(parent))
  attach(parent, key, value)
}

/** Whether the target stays, and takes the value into its own type. */
function takesValue(target: Draft, value: Input): boolean {
  if (target.hint.type.kind !== 'any') return true
  return target.shape === 'scalar' && !isDraft(value) && value.kind === 'scalar'
}

/** A scalar of a type of its own; a union is a box around one. */
function isTypedScalar({ shape, hint }: Draft): boolean {
  return shape === 'scalar' && hint.type.kind !== 'any' && hint.type.kind !== 'union'
}

/**
 * A node of a type, made of a plain value.
 * @throws {HydraConfigError} `CONFIG_INVALID` of class `ValidationError`
 */
export function wrap(hint: Hint, value: Input, parent: ContainerDraft, key?: MapKey): Draft {
  if (isDraft(value)) {
    value.parent = parent
    value.key = key
    return value
  }
  const { type } = hint
  const shared = { parent, key, flags: {}, origin: value.origin, options: parent.options }
  if (type.kind === 'dict' || type.kind === 'struct' || (type.kind === 'any' && value.kind === 'map')) {
    const entries = new Map<MapKey, Draft>()
    const made: MapDraft = { ...shared, hint, shape: 'map', struct: undefined, special: undefined, entries }
    setValue(made, value)
    const isFrozen = value.kind === 'map' && value.typing?.struct?.frozen === true
    if (isFrozen || (type.kind === 'struct' && type.frozen)) made.flags.readonly = true
    return made
  }
  if (type.kind === 'list' || (type.kind === 'any' && value.kind === 'list')) {
    const made: ListDraft = { ...shared, hint, shape: 'list', special: undefined, items: new ItemDrafts() }
    setValue(made, value)
    return made
  }
  const optional = hint.optional || type.kind === 'any'
  const made: ScalarDraft = { ...shared, hint: { type, optional }, shape: 'scalar', scalar: scalar(null) }
  withFlags(made, { readonly: false }, () => setValue(made, value))
  return made
}

/**
 * Changes what a node holds, its type kept.
 * @throws {HydraConfigError} of the class of OmegaConf's error
 */
export function setValue(draft: Draft, input: Input): void {
  if (draft.shape === 'map') setMap(draft, input)
  else if (draft.shape === 'list') setList(draft, input)
  else setScalar(draft, input)
}

function setScalar(draft: ScalarDraft, input: Input): void {
  const { type, optional } = draft.hint
  if (type.kind !== 'union' && flagOf(draft, 'readonly') === true) throw readonlyError(draft)
  const value = isDraft(input) ? asValue(input) : input
  if (type.kind === 'list' || type.kind === 'dict' || type.kind === 'struct') {
    throw new TypeError('a scalar is of the type of a scalar')
  }
  if (value.kind === 'scalar' && isSpecialText(value.value)) {
    if (value.value !== '???') checkInterpolation(value.value)
    draft.scalar = value
  } else if (value.kind === 'scalar' && value.value === null) {
    if (!optional) throw invalid(draft, `null is no ${typeText(draft.hint)}`, value)
    draft.scalar = value
  } else {
    draft.scalar = convert(type, value, pathTo(draft))
  }
}

/** A map or list in place of a scalar: only its kind matters, for it is refused. */
function asValue(input: Draft): Value {
  const value = scalarAt(input)
  if (value !== undefined) return value
  return input.shape === 'list' ? { kind: 'list', items: [] } : { kind: 'map', entries: new Map() }
}

function specialOf(input: Input): ScalarValue | undefined {
  const value = isDraft(input) ? scalarAt(input) : input.kind === 'scalar' ? input : undefined
  return value !== undefined && (value.value === null || isSpecialText(value.value)) ? value : undefined
}

function setMap(draft: MapDraft, input: Input): void {
  const { special, entries } = draft
  try {
    validateMap(draft, input)
    fillMap(draft, input)
  } catch (error) {
    draft.special = special
    draft.entries = entries
    throw error
  }
}

function fillMap(draft: MapDraft, input: Input): void {
  const special = specialOf(input)
  draft.special = special
  draft.entries = new Map()
  if (special !== undefined) {
    draft.struct = undefined
    if (typeof special.value === 'string' && special.value !== '???') checkInterpolation(special.value)
    return
  }
  const given = isDraft(input) ? input : input.kind === 'map' ? input : undefined
  if (given === undefined || (isDraft(given) && given.shape !== 'map')) throw invalid(draft, 'this is no map')
  const struct = isDraft(given) ? given.struct : given.typing?.struct
  if (isDraft(given)) draft.flags = {}
  else if (struct !== undefined) draft.struct = undefined
  withFlags(draft, { struct: false, readonly: false }, () => {
    // The fields of a struct are nodes of their own, what is in a plain map is plain.
    for (const [key, item] of isDraft(given) ? given.entries : given.entries) {
      setItem(draft, key, struct === undefined || isDraft(item) ? item : thaw(item, draft.options))
    }
  })
  draft.struct = struct
  if (given.origin !== undefined) draft.origin = given.origin
}

function setList(draft: ListDraft, input: Input): void {
  const { special, items } = draft
  try {
    fillList(draft, input)
  } catch (error) {
    draft.special = special
    draft.items = items
    throw error
  }
}

function fillList(draft: ListDraft, input: Input): void {
  const special = specialOf(input)
  if (special?.value === null && !draft.hint.optional) throw invalid(draft, 'null is no list', special)
  if (typeof special?.value === 'string' && special.value !== '???') checkInterpolation(special.value)
  const isList = isDraft(input) ? input.shape === 'list' : input.kind === 'list'
  if (special === undefined && !isList) throw invalid(draft, 'this is no list')
  draft.special = special
  draft.items = new ItemDrafts()
  if (special !== undefined) return
  if (isDraft(input)) draft.flags = {}
  withFlags(draft, { struct: false, readonly: false }, () => {
    for (const item of itemsOf(input)) append(draft, item)
  })
  if (input.origin !== undefined) draft.origin = input.origin
}

export function append(draft: ListDraft, item: Input): void {
  setItem(draft, BigInt(draft.items.length), item)
}

/** The items as OmegaConf iterates them: scalars and null without their nodes. */
export function itemsOf(input: Input): readonly Input[] {
  if (!isDraft(input)) return input.kind === 'list' ? input.items : []
  if (input.shape !== 'list') return []
  return Array.from(input.items, (item) => {
    if (isNull(item)) return scalarAt(item) ?? item
    return item.shape === 'scalar' && item.hint.type.kind !== 'union' ? item.scalar : item
  })
}

/**
 * Gives a node, and what is in it, a type that it has to fit already. The keys of `typed` are of that type.
 * @throws {HydraConfigError} `CONFIG_INVALID` of class `ValidationError` or `KeyValidationError`
 */
export function deepenHint(draft: Draft, hint: Hint, typed?: ReadonlySet<MapKey>): void {
  const { type } = hint
  if (type.kind === 'any') return
  checkFits(draft, hint)
  const before = draft.hint.type
  draft.hint = hint
  if (isSpecial(draft)) return
  if (draft.shape === 'list' && type.kind === 'list') {
    for (const [index, item] of [...draft.items].entries())
      deepenItem(draft, BigInt(index), item, type.element)
  }
  if (draft.shape === 'map' && type.kind === 'dict') {
    // Members of an enum are keys by their names: what they are the type tells that the map had.
    const as = before.kind === 'dict' && before.key.kind === 'enum' ? before.key : undefined
    for (const [key, item] of draft.entries) {
      if (typed?.has(key) !== true && !isSubtypeValue(type.key, key, as)) throw wrongKey(draft, key, type)
      deepenItem(draft, key, item, type.element)
    }
  }
}

function wrongKey(draft: Draft, key: MapKey, { key: type }: DictType): Error {
  const name = type.kind === 'enum' ? type.name : type.kind
  return typedError('KeyValidationError', `'${scalarString(key)}' is no key of the type ${name}`, {
    path: pathTo(draft, key),
  })
}

function deepenItem(parent: ContainerDraft, key: MapKey, item: Draft, hint: Hint): void {
  let child = item
  const special = specialOf(item)
  if (special !== undefined) {
    child = wrap(hint, special, parent, key)
    attach(parent, key, child)
  }
  deepenHint(child, hint)
}

function checkFits(draft: Draft, hint: Hint): void {
  const { type, optional } = hint
  if (isNull(draft)) {
    if (!optional) throw invalid(draft, `null is no ${typeText(hint)}`, scalarAt(draft))
    return
  }
  if (isSpecial(draft)) return
  if (draft.shape === 'scalar') {
    const isScalar =
      type.kind !== 'union' && type.kind !== 'list' && type.kind !== 'dict' && type.kind !== 'struct'
    const isUnion = draft.hint.type.kind === 'union'
    if (isScalar && !isUnion && isSubtypeValue(type, draft.scalar.value, draft.scalar.as)) return
  } else if (draft.shape === 'list' ? type.kind === 'list' : type.kind === 'dict' || type.kind === 'struct') {
    return
  }
  throw invalid(draft, `this is no ${typeText(hint)}`)
}

function invalid(draft: Draft, message: string, value?: Value): Error {
  const path = pathTo(draft)
  return typedError('ValidationError', `${path}: ${message}`, { path, origin: value?.origin })
}

function readonlyError(draft: Draft, below?: MapKey): Error {
  const path = pathTo(draft, below)
  return typedError('ReadonlyConfigError', `'${path}' is readonly`, { path })
}
