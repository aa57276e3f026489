import { refuseUnknownPath } from '../explain/unknown-path.ts'
import type { ResolveOptions } from '../interpolation/resolve.ts'
import { resolveAll, select } from '../interpolation/resolve-all.ts'
import type { MapValue, Value } from '../value/value.ts'
import { childAt, childPath, joinedPath, keysOf, valueAt } from './value-path.ts'

/** A place in a configuration and what stands there, as it was composed. Paths are such as `db.ports[0]`. */
export interface ConfigNode {
  /** From the root, '' for the root itself. */
  readonly path: string
  /** `???` and interpolations as they were written. */
  readonly raw: Value
  /** Whether `???` stands here. */
  readonly isMissing: boolean
  /** Whether a string with `${` stands here. */
  readonly isInterpolation: boolean
  /** The node at a path below this one; undefined where nothing stands. Follows interpolations on its way. */
  get(path: string): ConfigNode | undefined
  /**
   * As {@link get}.
   * @throws {HydraConfigError} `UNKNOWN_PATH` where nothing stands there
   */
  at(path: string): ConfigNode
  /**
   * The value at a path below this one, as `OmegaConf.select` gives it: interpolations resolved; undefined where
   * nothing, null or `???` stands.
   * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`
   */
  select(path: string): Value | undefined
  /**
   * What stands here, with every interpolation resolved; what leads to a missing value is missing (`???`).
   * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`
   */
  resolved(): Value
}

/** The root of a configuration as a node. */
export function rootNode(root: MapValue, options: ResolveOptions): ConfigNode {
  let resolved: Value | undefined
  const resolvedRoot = (): Value => {
    resolved ??= resolveAll(root, options)
    return resolved
  }
  return nodeAt('', root)

  function nodeAt(path: string, raw: Value): ConfigNode {
    const text = raw.kind === 'scalar' && typeof raw.value === 'string' ? raw.value : ''
    const node: ConfigNode = {
      path,
      raw,
      isMissing: text === '???',
      isInterpolation: text.includes('${'),
      get: (below) => step(node, keysOf(below)),
      at: (below) => node.get(below) ?? refuseUnknownPath(node, below),
      select: (below) => select(root, joinedPath(path, below), options),
      resolved: () => valueAt(resolvedRoot(), keysOf(path)) ?? raw,
    }
    return node
  }

  function step(from: ConfigNode, keys: readonly string[]): ConfigNode | undefined {
    let found = from
    for (const key of keys) {
      const container = found.isInterpolation ? found.resolved() : found.raw
      const child = childAt(container, key)
      if (child === undefined) return undefined
      found = nodeAt(childPath(found.path, key, container), child)
    }
    return found
  }
}
