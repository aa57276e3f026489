import { OwnCopies } from '../value/own-copies.ts'
import { scalarString } from '../value/python-string.ts'
import { changed } from '../value/secret.ts'
import {
  anyHint,
  type ChangeOptions,
  type Flags,
  type Hint,
  type NodeType,
  type StructType,
  type TypeRules,
  type Typing,
} from '../value/typing.ts'
import {
  type ListValue,
  type MapKey,
  type MapValue,
  type Origin,
  type ScalarValue,
  sameKey,
  scalar,
  type Value,
} from '../value/value.ts'
import { isSpecialText } from './convert.ts'
import { EntryDrafts, ItemDrafts } from './drafts.ts'

/**
 * A node of a configuration while it is changed, as OmegaConf's nodes are: it knows what is above it, and has flags.
 * A draft is thawed from values, changed, and frozen to values again; nobody outside holds it.
 */
export type Draft = ScalarDraft | MapDraft | ListDraft

interface Shared {
  parent: MapDraft | ListDraft | undefined
  /** In a list its index as a bigint. */
  key: MapKey | undefined
  hint: Hint
  flags: { readonly?: boolean; struct?: boolean }
  origin: Origin | undefined
  /** What it was thawed from: it freezes to this very value where nothing has changed. */
  readonly from?: Value
  /** What the drafts of one configuration have in common. */
  readonly options: DraftOptions
}

/** What a change works with, and what a value that gets a type takes along. */
export interface DraftOptions extends ChangeOptions {
  readonly rules: TypeRules
}

export interface ScalarDraft extends Shared {
  readonly shape: 'scalar'
  scalar: ScalarValue
}

export interface MapDraft extends Shared {
  readonly shape: 'map'
  /** The struct that its fields are of. */
  struct: StructType | undefined
  /** Null, `???` or an interpolation that stands for the map; undefined where `entries` does. */
  special: ScalarValue | undefined
  entries: Map<MapKey, Draft>
}

export interface ListDraft extends Shared {
  readonly shape: 'list'
  special: ScalarValue | undefined
  items: ItemDrafts<Draft>
}

export type ContainerDraft = MapDraft | ListDraft

/** A draft of a value; of what is in it as soon as somebody asks. */
export function thaw(value: Value, options: DraftOptions): Draft {
  const { typing, origin } = value
  const shared = {
    parent: undefined,
    key: undefined,
    hint: { type: typing?.type ?? anyHint.type, optional: typing?.optional ?? true },
    flags: { ...typing?.flags },
    origin,
    from: value,
    options,
  }
  const shape = value.kind === 'scalar' ? shapeOf(shared.hint.type) : value.kind
  if (shape === 'scalar' && value.kind === 'scalar') return { ...shared, shape, scalar: value }
  const special = value.kind === 'scalar' ? value : undefined
  if (shape === 'list') {
    const list: ListDraft = { ...shared, shape, special, items: new ItemDrafts() }
    if (value.kind === 'list')
      list.items = new ItemDrafts(value.items, (key, item) => thawBelow(list, key, item))
    return list
  }
  const made: MapDraft = { ...shared, shape: 'map', struct: typing?.struct, special, entries: new Map() }
  if (value.kind === 'map')
    made.entries = new EntryDrafts(value.entries, (key, item) => thawBelow(made, key, item))
  return made
}

function thawBelow(parent: ContainerDraft, key: MapKey, value: Value): Draft {
  const draft = thaw(value, parent.options)
  draft.parent = parent
  draft.key = key
  return draft
}

/** Whether a type is of maps or lists even where null or an interpolation stands. */
function shapeOf({ kind }: NodeType): Draft['shape'] {
  if (kind === 'list') return 'list'
  return kind === 'dict' || kind === 'struct' ? 'map' : 'scalar'
}

/** Puts a draft at a place, without a look at types. */
export function attach(parent: ContainerDraft, key: MapKey, draft: Draft): void {
  draft.parent = parent
  draft.key = key
  if (parent.shape === 'list') parent.items.set(Number(key), draft)
  else parent.entries.set(sameKey(parent.entries, key) ?? key, draft)
}

/**
 * The value that a draft has become; the same as before where nothing of it has changed.
 * @param copies the containers that may be changed for it. Default: none.
 */
export function freeze(draft: Draft, copies: OwnCopies = new OwnCopies()): Value {
  const { from, origin } = draft
  const typing = typingOf(draft)
  const special = scalarAt(draft)
  if (draft.shape === 'scalar' || special !== undefined) {
    const frozen = changed(special ?? scalar(null), { typing })
    return from !== undefined && isSameScalar(from, frozen) ? from : frozen
  }
  const { isAsBefore, ...inside } =
    draft.shape === 'map' ? frozenEntries(draft, copies) : frozenItems(draft, copies)
  if (isAsBefore && from?.origin === origin && sameTyping(from?.typing, typing)) return from ?? inside
  return typing === undefined ? { ...inside, origin } : { ...inside, origin, typing }
}

function isSameScalar(from: Value, frozen: ScalarValue): boolean {
  return (
    from.kind === 'scalar' &&
    Object.is(from.value, frozen.value) &&
    from.as === frozen.as &&
    from.shown === frozen.shown &&
    from.origin === frozen.origin &&
    sameTyping(from.typing, frozen.typing)
  )
}

/** What a container has become, and whether that is what it was thawed from. */
type Inside<Container> = Container & { readonly isAsBefore: boolean }

function frozenItems({ from, items }: ListDraft, copies: OwnCopies): Inside<ListValue> {
  const before = from?.kind === 'list' ? from.items : undefined
  if (before !== items.from) {
    const all = Array.from(items, (item) => freeze(item, copies))
    return { kind: 'list', items: all, isAsBefore: before !== undefined && areSame(before, all) }
  }
  const changes = changesOf(items.changes, (index) => before[index], copies)
  if (changes.length === 0) return { kind: 'list', items: before, isAsBefore: true }
  const own = copies.items(before)
  for (const [index, item] of changes) own[index] = item
  return { kind: 'list', items: own, isAsBefore: false }
}

function frozenEntries({ from, entries }: MapDraft, copies: OwnCopies): Inside<MapValue> {
  const before = from?.kind === 'map' ? from.entries : undefined
  if (before === undefined || !(entries instanceof EntryDrafts) || entries.from !== before) {
    const all = Array.from(entries, ([key, item]) => [key, freeze(item, copies)] as const)
    const isAsBefore = before !== undefined && areSame([...before].flat(), all.flat())
    return { kind: 'map', entries: new Map(all), isAsBefore }
  }
  const changes = changesOf(entries.changes(), (key) => before.get(key), copies)
  const { gone } = entries
  if (changes.length === 0 && gone.size === 0) return { kind: 'map', entries: before, isAsBefore: true }
  const own = copies.entries(before)
  for (const key of gone) own.delete(key)
  for (const [key, item] of changes) own.set(key, item)
  return { kind: 'map', entries: own, isAsBefore: false }
}

function changesOf<Key>(
  drafts: Iterable<readonly [Key, Draft]>,
  before: (key: Key) => Value | undefined,
  copies: OwnCopies,
): readonly (readonly [Key, Value])[] {
  return Array.from(drafts, ([key, draft]) => [key, freeze(draft, copies)] as const).filter(
    ([key, value]) => before(key) !== value,
  )
}

function areSame(before: readonly unknown[], after: readonly unknown[]): boolean {
  return before.length === after.length && before.every((each, at) => Object.is(each, after[at]))
}

function sameTyping(a: Typing | undefined, b: Typing | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return (
    (a.type === b.type || (a.type.kind === 'any' && b.type.kind === 'any')) &&
    a.optional === b.optional &&
    a.struct === b.struct &&
    a.flags?.readonly === b.flags?.readonly &&
    a.flags?.struct === b.flags?.struct
  )
}

function typingOf(draft: Draft): Typing | undefined {
  const { hint, flags, options } = draft
  const struct = draft.shape === 'map' ? draft.struct : undefined
  const flagged = flags.readonly !== undefined || flags.struct !== undefined
  if (hint.type.kind === 'any' && struct === undefined && !flagged) return undefined
  return { ...hint, struct, flags: flagged ? { ...flags } : undefined, rules: options.rules }
}

/** A copy that stands nowhere. */
export function copyOf(draft: Draft): Draft {
  return thaw(freeze(draft), draft.options)
}

/** The scalar of a scalar draft, and what stands for a map or list; undefined for a map or list itself. */
export function scalarAt(draft: Draft): ScalarValue | undefined {
  return draft.shape === 'scalar' ? draft.scalar : draft.special
}

export function isNull(draft: Draft): boolean {
  return scalarAt(draft)?.value === null
}

export function isMissing(draft: Draft): boolean {
  return scalarAt(draft)?.value === '???'
}

export function isInterpolation(draft: Draft): boolean {
  const value = scalarAt(draft)?.value
  return value !== undefined && isSpecialText(value) && value !== '???'
}

/** Null, `???` or an interpolation. */
export function isSpecial(draft: Draft): boolean {
  return isNull(draft) || isMissing(draft) || isInterpolation(draft)
}

/** A flag as it holds at a draft: its own, or the next one above. */
export function flagOf(draft: Draft, flag: keyof Flags): boolean | undefined {
  for (let at: Draft | undefined = draft; at !== undefined; at = at.parent) {
    if (at.flags[flag] !== undefined) return at.flags[flag]
  }
  return undefined
}

/** Does something with a flag set otherwise. */
export function withFlags<T>(draft: Draft, flags: Flags, act: () => T): T {
  const before = draft.flags
  draft.flags = { ...before, ...flags }
  try {
    return act()
  } finally {
    // What was set meanwhile stays.
    const after: Shared['flags'] = { ...draft.flags }
    for (const flag of ['readonly', 'struct'] as const) {
      if (flags[flag] === undefined) continue
      if (before[flag] === undefined) delete after[flag]
      else after[flag] = before[flag]
    }
    draft.flags = after
  }
}

export function rootOf(draft: Draft): Draft {
  let root = draft
  while (root.parent !== undefined) root = root.parent
  return root
}

/** The keys from the root to a draft. */
export function keysTo(draft: Draft): readonly MapKey[] {
  const keys: MapKey[] = []
  for (let at: Draft = draft; at.parent !== undefined && at.key !== undefined; at = at.parent)
    keys.push(at.key)
  return keys.toReversed()
}

/** Where a draft, or a key of it, stands, as messages name it: `db.ports[0]`; '' for the root. */
export function pathTo(draft: Draft, below?: MapKey): string {
  const steps = below === undefined ? [] : [stepText(draft, below)]
  for (let at: Draft = draft; at.parent !== undefined && at.key !== undefined; at = at.parent) {
    steps.push(stepText(at.parent, at.key))
  }
  return steps.toReversed().join('')
}

function stepText(parent: Draft, key: MapKey): string {
  if (parent.shape === 'list') return `[${scalarString(key)}]`
  return parent.parent === undefined ? scalarString(key) : `.${scalarString(key)}`
}
