import type { ResolveOptions } from '../interpolation/resolve.ts'
import { scalarString } from '../value/python-string.ts'
import { changed } from '../value/secret.ts'
import {
  anyHint,
  type Flags,
  type Hint,
  type NodeType,
  type StructType,
  type Typing,
} from '../value/typing.ts'
import {
  type ListValue,
  type MapKey,
  type MapValue,
  type Origin,
  type ScalarValue,
  sameKey,
  type Value,
} from '../value/value.ts'
import { isSpecialText } from './convert.ts'

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
  readonly options: ResolveOptions
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
  items: Draft[]
}

export type ContainerDraft = MapDraft | ListDraft

/** A draft of a value and of all that is in it. */
export function thaw(value: Value, options: ResolveOptions): Draft {
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
    const list: ListDraft = { ...shared, shape, special, items: [] }
    if (value.kind === 'list')
      for (const item of value.items) attach(list, BigInt(list.items.length), thaw(item, options))
    return list
  }
  const made: MapDraft = { ...shared, shape: 'map', struct: typing?.struct, special, entries: new Map() }
  if (value.kind === 'map') for (const [key, item] of value.entries) attach(made, key, thaw(item, options))
  return made
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
  if (parent.shape === 'list') parent.items[Number(key)] = draft
  else parent.entries.set(sameKey(parent.entries, key) ?? key, draft)
}

/** The value that a draft has become; the same as before where nothing of it has changed. */
export function freeze(draft: Draft): Value {
  const frozen = frozenOf(draft)
  return draft.from !== undefined && isUnchanged(draft.from, frozen) ? draft.from : frozen
}

function isUnchanged(from: Value, frozen: Value): boolean {
  if (from.origin !== frozen.origin || !sameTyping(from.typing, frozen.typing)) return false
  if (from.kind === 'scalar' || frozen.kind === 'scalar') {
    if (from.kind !== 'scalar' || frozen.kind !== 'scalar') return false
    return Object.is(from.value, frozen.value) && from.as === frozen.as && from.shown === frozen.shown
  }
  if (from.kind === 'list' || frozen.kind === 'list') {
    if (from.kind !== 'list' || frozen.kind !== 'list') return false
    return (
      from.items.length === frozen.items.length &&
      from.items.every((item, index) => item === frozen.items[index])
    )
  }
  const keys = frozen.entries.keys()
  return (
    from.entries.size === frozen.entries.size &&
    from.entries.entries().every(([key, item]) => {
      return Object.is(keys.next().value, key) && frozen.entries.get(key) === item
    })
  )
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

function frozenOf(draft: Draft): Value {
  const typing = typingOf(draft)
  if (draft.shape === 'scalar') return changed(draft.scalar, { typing })
  if (draft.special !== undefined) return changed(draft.special, { typing })
  const { origin } = draft
  if (draft.shape === 'list') {
    const list: ListValue = { kind: 'list', items: draft.items.map(freeze), origin }
    return typing === undefined ? list : { ...list, typing }
  }
  const entries = draft.entries.entries().map(([key, item]) => [key, freeze(item)] as const)
  const map: MapValue = { kind: 'map', entries: new Map(entries), origin }
  return typing === undefined ? map : { ...map, typing }
}

function typingOf(draft: Draft): Typing | undefined {
  const { hint, flags } = draft
  const struct = draft.shape === 'map' ? draft.struct : undefined
  const flagged = flags.readonly !== undefined || flags.struct !== undefined
  if (hint.type.kind === 'any' && struct === undefined && !flagged) return undefined
  return { ...hint, struct, flags: flagged ? { ...flags } : undefined }
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
