import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { Resolution } from '../interpolation/resolve.ts'
import { withWholeResolution } from '../interpolation/whole.ts'
import type { OwnCopies } from '../value/own-copies.ts'
import { Place } from '../value/place.ts'
import { scalarString } from '../value/python-string.ts'
import type { MergeMode, TypeRules } from '../value/typing.ts'
import { type MapKey, type MapValue, sameKeys, type Value } from '../value/value.ts'
import { type ListEditing, listEditing } from './list-edit.ts'

/**
 * Merges `src` into `dest` as `OmegaConf.merge` does, without changing either: maps are merged key by key in the order
 * of `dest`, lists and scalars are replaced, `???` replaces nothing. A map over an interpolation is merged with a copy
 * of what the interpolation leads to, where that is a map.
 * @throws HydraConfigError `MERGE`, of class `ConfigTypeError`, where a map meets a list
 */
export function merge(dest: Value, src: Value, options: MergeOptions = {}): Value {
  const editing = options.listEdits === true ? listEditing : undefined
  return mergeOf(dest, src, { ...withWholeResolution(options), editing }).merged
}

/** As {@link merge}; `always` where the same two values give the same, whatever resolvers and flags there are. */
export function mergeOf(
  dest: Value,
  src: Value,
  options: MergingOptions,
): { readonly merged: Value; readonly always: boolean } {
  const merging = new Merge(options)
  const merged = merging.containers(dest, src, [])
  const { rules } = merging
  if (rules !== undefined) {
    const changing = { ...options, resolution: new Resolution(options) }
    return { merged: rules.merge(dest, src, changing), always: false }
  }
  return { merged, always: !merging.hasResolved }
}

/** Options of {@link merge}. */
export interface MergeOptions extends ResolveOptions, MergeMode {
  /** Whether `{_append_: [a]}` over a list edits it; such a map anywhere else is refused. Default: false. */
  readonly listEdits?: boolean
}

/** Options of {@link mergeOf}. */
export interface MergingOptions extends ResolveOptions, MergeMode {
  /** How maps edit lists; without it they do not. */
  readonly editing?: ListEditing | undefined
  /** What was copied already is changed. Default: every map is copied. */
  readonly copies?: OwnCopies | undefined
}

/** A map that is being made, and the key at which the next one stands in it. */
interface Level {
  readonly entries: Map<MapKey, Value>
  readonly key: MapKey
}

// OmegaConf runs out of Python's stack before.
const depthMax = 1000

class Merge {
  /** Those of the first value that has types or flags; what was merged is of no use then. */
  rules: TypeRules | undefined = undefined
  readonly #options: MergingOptions
  /** Made where an interpolation is met, which few merges do. */
  #resolution: Resolution | undefined
  readonly #editing: ListEditing | undefined

  constructor(options: MergingOptions) {
    this.#options = options
    this.#editing = options.editing
  }

  /** Whether it mattered what an interpolation leads to. */
  get hasResolved(): boolean {
    return this.#resolution !== undefined
  }

  containers(dest: Value, src: Value, above: readonly Level[]): Value {
    if (this.#isTyped(dest, src)) return dest
    if (dest.kind === 'list') {
      const edits = this.#editing?.editsOf(src)
      if (edits !== undefined) return this.#editing?.edited(dest, edits) ?? dest
    }
    if (dest.kind !== src.kind) {
      throw new HydraConfigError('MERGE', 'Cannot merge DictConfig with ListConfig', {
        class: 'ConfigTypeError',
        origin: src.origin,
        path: above.map(({ key }) => scalarString(key)).join('.'),
      })
    }
    return dest.kind === 'map' && src.kind === 'map' ? this.#maps(dest, src, above) : src
  }

  #maps(dest: MapValue, src: MapValue, above: readonly Level[]): MapValue {
    if (above.length >= depthMax) {
      throw new HydraConfigError('MERGE', `maps are nested deeper than ${depthMax}`, {
        class: 'RecursionError',
      })
    }
    const entries = this.#options.copies?.entries(dest.entries) ?? new Map(dest.entries)
    const same = sameKeys(entries)
    for (const [srcKey, value] of src.entries) {
      const key = same(srcKey) ?? srcKey
      const old = entries.get(key)
      if (old === undefined) entries.set(key, this.#whole(value))
      else if (isReplaced(old, value)) entries.set(key, value)
      else entries.set(key, this.#entry(old, value, [...above, { entries, key }]))
    }
    return { kind: 'map', entries, origin: dest.origin }
  }

  #isTyped(dest: Value, src: Value): boolean {
    this.rules ??= (dest.typing ?? src.typing)?.rules
    return this.rules !== undefined
  }

  #entry(old: Value, value: Value, levels: readonly Level[]): Value {
    if (this.#isTyped(old, value)) return old
    const dest = isInterpolation(old) ? (this.#target(levels) ?? old) : old
    if (value.kind === 'scalar') return value.value === '???' ? dest : value
    return dest.kind === 'scalar' ? this.#whole(value) : this.containers(dest, value, levels)
  }

  /** A value that replaces another one, or none. */
  #whole(value: Value): Value {
    if (this.#editing?.isIn(value)) {
      throw new HydraConfigError('MERGE', 'there is no list here to edit', {
        class: 'ConfigCompositionException',
      })
    }
    return value
  }

  /** The map or list that the interpolation at the last level leads to, in what has been merged so far. */
  #target(levels: readonly Level[]): Value | undefined {
    // Each level is put into the one above as it is so far, what it becomes takes its place at the end.
    let root: Value | undefined
    for (const { entries, key } of levels.toReversed()) {
      if (root !== undefined) entries.set(key, root)
      root = { kind: 'map', entries }
    }
    let place: Place | undefined = root && new Place(root)
    for (const { key } of levels) place = place?.child(key)
    if (place === undefined) return undefined
    this.#options.copies?.letGo()
    try {
      this.#resolution ??= new Resolution(this.#options)
      const target = this.#resolution.dereference(place)
      return target.isContainer ? target.value : undefined
    } catch (error) {
      if (isHydraConfigError(error)) return undefined
      throw error
    }
  }
}

/** The plain case: a scalar takes the place of whatever was there. */
function isReplaced(old: Value, value: Value): boolean {
  return (
    value.kind === 'scalar' && value.value !== '???' && value.typing === undefined && old.typing === undefined
  )
}

function isInterpolation(value: Value): boolean {
  return value.kind === 'scalar' && typeof value.value === 'string' && value.value.includes('${')
}
