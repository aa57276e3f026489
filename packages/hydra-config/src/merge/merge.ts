import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import { Place } from '../interpolation/place.ts'
import { Resolution } from '../interpolation/resolve.ts'
import { mergeTyped, type TypedMergeOptions } from '../structured/merge-drafts.ts'
import { scalarString } from '../value/python-string.ts'
import { type MapKey, type MapValue, sameKey, type Value } from '../value/value.ts'
import { editedList, holdsListEdit, listEditsOf } from './list-edit.ts'

/**
 * Merges `src` into `dest` as `OmegaConf.merge` does, without changing either: maps are merged key by key in the order
 * of `dest`, lists and scalars are replaced, `???` replaces nothing. A map over an interpolation is merged with a copy
 * of what the interpolation leads to, where that is a map.
 * @throws HydraConfigError `MERGE`, of class `ConfigTypeError`, where a map meets a list
 */
export function merge(dest: Value, src: Value, options: MergeOptions = {}): Value {
  return mergeOf(dest, src, options).merged
}

/** As {@link merge}; `always` where the same two values give the same, whatever resolvers and flags there are. */
export function mergeOf(
  dest: Value,
  src: Value,
  options: MergeOptions,
): { readonly merged: Value; readonly always: boolean } {
  const merging = new Merge(options)
  const merged = merging.containers(dest, src, [])
  if (merging.metTypes) return { merged: mergeTyped(dest, src, options), always: false }
  return { merged, always: !merging.hasResolved }
}

/** Options of {@link merge}. */
export interface MergeOptions extends TypedMergeOptions {
  /** Whether `{_append_: [a]}` over a list edits it; such a map anywhere else is refused. Default: false. */
  readonly listEdits?: boolean
}

/** A map that is being made, and the key at which the next one stands in it. */
interface Level {
  readonly entries: Map<MapKey, Value>
  readonly key: MapKey
}

// OmegaConf runs out of Python's stack before.
const depthMax = 1000

class Merge {
  /** Whether something has types or flags; what was merged is of no use then. */
  metTypes = false
  readonly #options: MergeOptions
  /** Made where an interpolation is met, which few merges do. */
  #resolution: Resolution | undefined
  readonly #listEdits: boolean

  constructor(options: MergeOptions) {
    this.#options = options
    this.#listEdits = options.listEdits ?? false
  }

  /** Whether it mattered what an interpolation leads to. */
  get hasResolved(): boolean {
    return this.#resolution !== undefined
  }

  containers(dest: Value, src: Value, above: readonly Level[]): Value {
    if (this.#isTyped(dest, src)) return dest
    if (dest.kind === 'list' && this.#listEdits) {
      const edits = listEditsOf(src)
      if (edits !== undefined) return editedList(dest, edits)
    }
    if (dest.kind !== src.kind) {
      throw new HydraConfigError('MERGE', `a ${src.kind} cannot be merged into a ${dest.kind}`, {
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
    const entries = new Map(dest.entries)
    for (const [srcKey, value] of src.entries) {
      const key = sameKey(entries, srcKey) ?? srcKey
      const old = entries.get(key)
      if (old === undefined) entries.set(key, this.#whole(value))
      else if (isReplaced(old, value)) entries.set(key, value)
      else entries.set(key, this.#entry(old, value, [...above, { entries, key }]))
    }
    return { kind: 'map', entries, origin: dest.origin }
  }

  #isTyped(dest: Value, src: Value): boolean {
    this.metTypes ||= dest.typing !== undefined || src.typing !== undefined
    return this.metTypes
  }

  #entry(old: Value, value: Value, levels: readonly Level[]): Value {
    if (this.#isTyped(old, value)) return old
    const dest = isInterpolation(old) ? (this.#target(levels) ?? old) : old
    if (value.kind === 'scalar') return value.value === '???' ? dest : value
    return dest.kind === 'scalar' ? this.#whole(value) : this.containers(dest, value, levels)
  }

  /** A value that replaces another one, or none. */
  #whole(value: Value): Value {
    if (this.#listEdits && holdsListEdit(value)) {
      throw new HydraConfigError('MERGE', 'there is no list here to edit', {
        class: 'ConfigCompositionException',
      })
    }
    return value
  }

  /** The map or list that the interpolation at the last level leads to, in what has been merged so far. */
  #target(levels: readonly Level[]): Value | undefined {
    let root: Value | undefined
    for (const { entries, key } of levels.toReversed()) {
      const merged = new Map(entries)
      if (root !== undefined) merged.set(key, root)
      root = { kind: 'map', entries: merged }
    }
    let place: Place | undefined = root && new Place(root)
    for (const { key } of levels) place = place?.child(key)
    if (place === undefined) return undefined
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
