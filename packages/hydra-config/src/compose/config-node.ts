import { isHydraConfigError } from '../errors.ts'
import { refuseUnknownPath } from '../explain/unknown-path.ts'
import { readsOf } from '../interpolation/reads.ts'
import { Resolution, type ResolveOptions } from '../interpolation/resolve.ts'
import { interpolationAt, isMissing, Place } from '../value/place.ts'
import { scalarString } from '../value/python-string.ts'
import { type MapKey, scalar, type Value } from '../value/value.ts'
import { childPath, keysOf } from '../value/value-path.ts'

/**
 * A place in a configuration and what stands there, as it was composed. Nothing is resolved before it is asked for.
 * Paths are such as `db.ports[0]`; an interpolation on the way is followed.
 */
export interface ConfigNode {
  /** From the root, '' for the root itself; behind an interpolation, where that leads. */
  readonly path: string
  /** `???` and interpolations as they were written. */
  readonly raw: Value
  /** Whether `???` stands here. */
  readonly isMissing: boolean
  /** Whether a string with `${` stands here. */
  readonly isInterpolation: boolean
  /**
   * The node at a path below this one; undefined where nothing stands.
   * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`, `INTERPOLATION_CYCLE` for an interpolation on the way
   */
  get(path: string): ConfigNode | undefined
  /**
   * As {@link get}.
   * @throws {HydraConfigError} `UNKNOWN_PATH` where nothing stands there, and as {@link get}
   */
  at(path: string): ConfigNode
  /**
   * The value at a path below this one, as `OmegaConf.select` gives it: interpolations resolved; undefined where
   * nothing, null or `???` stands.
   * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`, `INTERPOLATION_CYCLE`
   */
  select(path: string): Value | undefined
  /**
   * What stands here, with every interpolation resolved; what leads to a missing value is missing (`???`).
   * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`, `INTERPOLATION_CYCLE`
   */
  resolved(): Value
  /** The same place in a configuration where `value` stands at it. Resolvers are asked anew. */
  with(value: Value): ConfigNode
}

/** What an interpolation read: a place of the configuration, or an environment variable. */
export type NodeRead = ConfigNode | { readonly environment: string }

/** A configuration as nodes, and what its interpolations lead to. */
export class ConfigTree {
  readonly root: ConfigNode
  readonly #options: ResolveOptions
  readonly #resolution: Resolution
  readonly #nodes = new WeakMap<Place, ConfigNode>()
  readonly #places = new WeakMap<ConfigNode, Place>()

  /** @throws {HydraConfigError} `INVALID_OPTION` */
  constructor(
    root: Value | Place,
    options: ResolveOptions,
    resolution: Resolution = new Resolution(options),
  ) {
    this.#options = options
    this.#resolution = resolution
    this.root = this.#nodeOf(root instanceof Place ? root : new Place(root))
  }

  /**
   * Waits for the resolvers that answer with promises.
   * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED` where one is rejected, `ABORTED` by the signal
   */
  async settle(): Promise<void> {
    await this.#resolution.settle(this.#placeOf(this.root))
  }

  /** What the interpolation of a node reads, in the order of reading. */
  readsOf(node: ConfigNode): readonly NodeRead[] {
    const reads = readsOf(this.#resolution, this.#placeOf(node))
    return reads.map((read) => ('place' in read ? this.#nodeOf(read.place) : read))
  }

  #nodeOf(place: Place): ConfigNode {
    const known = this.#nodes.get(place)
    if (known !== undefined) return known
    const node: ConfigNode = {
      path: pathOf(place),
      raw: place.value,
      isMissing: isMissing(place),
      isInterpolation: interpolationAt(place) !== undefined,
      get: (path) => this.#below(place, path),
      at: (path) =>
        this.#below(place, path) ?? refuseUnknownPath(node, path, this.#options.parts?.suggestion),
      select: (path) => this.#select(place, path),
      resolved: () => this.#resolved(place),
      with: (value) => this.#with(place, value),
    }
    this.#nodes.set(place, node)
    this.#places.set(node, place)
    return node
  }

  #placeOf(node: ConfigNode): Place {
    return this.#places.get(node) ?? new Place(node.raw)
  }

  #below(from: Place, path: string): ConfigNode | undefined {
    let place = from
    for (const key of keysOf(path)) {
      const child = childPlace(this.#resolution.dereference(place), key)
      if (child === undefined) return undefined
      place = child
    }
    return this.#nodeOf(place)
  }

  #select(from: Place, path: string): Value | undefined {
    const found = this.#resolution.select(from, path)
    if (found === undefined || isMissing(found)) return undefined
    const value = this.#resolution.content(found)
    return value.kind === 'scalar' && value.value === null ? undefined : value
  }

  #with(place: Place, value: Value): ConfigNode {
    let root = value
    const keys: MapKey[] = []
    for (let at = place; at.parent !== undefined && at.key !== undefined; at = at.parent) {
      root = withKey(at.parent.value, at.key, root)
      keys.push(at.key)
    }
    const tree = new ConfigTree(root, this.#options)
    let found = tree.#placeOf(tree.root)
    for (const key of keys.toReversed()) found = found.child(key) ?? found
    return tree.#nodeOf(found)
  }

  #resolved(place: Place): Value {
    try {
      return this.#resolution.all(this.#resolution.dereference(place))
    } catch (error) {
      if (!isHydraConfigError(error) || error.class !== 'InterpolationToMissingValueError') throw error
      return scalar('???', place.value.origin)
    }
  }
}

function childPlace(place: Place, key: string): Place | undefined {
  const { value } = place
  if (value.kind === 'scalar' || place.opaque) return undefined
  if (value.kind === 'list') return /^[0-9]+$/.test(key) ? place.child(BigInt(key)) : undefined
  return place.child(key) ?? childOfOtherKey(place, value.entries.keys(), key)
}

/** Keys that are no strings are found by their texts. */
function childOfOtherKey(place: Place, keys: Iterable<MapKey>, text: string): Place | undefined {
  for (const key of keys) if (scalarString(key) === text) return place.child(key)
  return undefined
}

function pathOf({ parent, key }: Place): string {
  if (parent === undefined || key === undefined) return ''
  return childPath(pathOf(parent), scalarString(key), parent.value)
}

function withKey(container: Value, key: MapKey, value: Value): Value {
  if (container.kind === 'list') return { ...container, items: container.items.with(Number(key), value) }
  return container.kind === 'map'
    ? { ...container, entries: new Map(container.entries).set(key, value) }
    : container
}
