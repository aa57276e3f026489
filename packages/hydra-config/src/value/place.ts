import { scalarString } from './python-string.ts'
import type { MapKey, Value } from './value.ts'

/**
 * A value at its place in a configuration; relative interpolations start from it. A place is made once, so that
 * two ways to it lead to the same object.
 */
export class Place {
  readonly value: Value
  readonly parent: Place | undefined
  readonly root: Place
  readonly key: MapKey | undefined
  /** A plain result of a resolver: a value as a whole, with no places inside. */
  readonly opaque: boolean
  #children: Map<MapKey, Place> | undefined

  constructor(value: Value, parent?: Place, key?: MapKey, opaque: boolean = false) {
    this.value = value
    this.parent = parent
    this.root = parent?.root ?? this
    this.key = key
    this.opaque = opaque
  }

  get isContainer(): boolean {
    return this.value.kind !== 'scalar' && !this.opaque
  }

  /** The place of an entry or, by a bigint, of an item; undefined where there is none. */
  child(key: MapKey): Place | undefined {
    const known = this.#children?.get(key)
    if (known !== undefined) return known
    const value = childValue(this.value, key)
    if (value === undefined) return undefined
    const place = new Place(value, this, key)
    this.#children ??= new Map()
    this.#children.set(key, place)
    return place
  }
}

function childValue(value: Value, key: MapKey): Value | undefined {
  if (value.kind === 'map') return value.entries.get(key)
  if (value.kind === 'list' && typeof key === 'bigint') return value.items[Number(key)]
  return undefined
}

/** The string of a place that holds an interpolation; undefined where it holds something else. */
export function interpolationAt({ value, opaque }: Place): string | undefined {
  if (opaque || value.kind !== 'scalar' || typeof value.value !== 'string') return undefined
  return value.value.includes('${') ? value.value : undefined
}

/** Whether `???` stands at a place. */
export function isMissing({ value }: Pick<Place, 'value'>): boolean {
  return value.kind === 'scalar' && value.value === '???'
}

/** The path of a place from its root, such as `a.b[0]`, as OmegaConf's `full_key` has it. */
export function placePath(place: Place): string {
  const steps: string[] = []
  for (let at = place; at.parent !== undefined; at = at.parent) {
    const key = at.key === undefined ? '' : scalarString(at.key)
    const inMap = at.parent.value.kind !== 'list'
    steps.push(inMap ? (at.parent.parent === undefined ? key : `.${key}`) : `[${key}]`)
  }
  return steps.toReversed().join('')
}
