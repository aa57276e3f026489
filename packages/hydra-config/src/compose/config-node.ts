import { HydraConfigError } from '../errors.ts'
import type { ResolveOptions } from '../interpolation/resolve.ts'
import { resolveAll, select } from '../interpolation/resolve-all.ts'
import { splitKey } from '../interpolation/split-key.ts'
import { scalarString } from '../value/python-string.ts'
import type { MapValue, Value } from '../value/value.ts'
import { childOf } from './path-edit.ts'

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
      at: (below) => node.get(below) ?? refuseUnknown(joined(path, below)),
      select: (below) => select(root, joined(path, below), options),
      resolved: () => valueAt(resolvedRoot(), path) ?? raw,
    }
    return node
  }

  function step(from: ConfigNode, keys: readonly string[]): ConfigNode | undefined {
    let found = from
    for (const key of keys) {
      const container = found.isInterpolation ? found.resolved() : found.raw
      const child = container.kind === 'scalar' ? undefined : childAt(container, key)
      if (child === undefined) return undefined
      found = nodeAt(childPath(found.path, key, container), child)
    }
    return found
  }
}

function keysOf(path: string): readonly string[] {
  return path === '' ? [] : splitKey(path)
}

function valueAt(root: Value, path: string): Value | undefined {
  let found: Value | undefined = root
  for (const key of keysOf(path)) found = found && childAt(found, key)
  return found
}

/** Also finds keys that are no strings, by their texts. */
function childAt(container: Value, key: string): Value | undefined {
  if (container.kind === 'list') return /^[0-9]+$/.test(key) ? childOf(container, key) : undefined
  if (container.kind === 'scalar') return undefined
  const found = container.entries.get(key)
  if (found !== undefined) return found
  for (const [each, value] of container.entries) if (scalarString(each) === key) return value
  return undefined
}

function childPath(path: string, key: string, container: Value): string {
  if (container.kind === 'list') return `${path}[${key}]`
  return path === '' ? key : `${path}.${key}`
}

function joined(path: string, below: string): string {
  if (path === '' || below === '' || below.startsWith('[')) return path + below
  return `${path}.${below}`
}

function refuseUnknown(path: string): never {
  throw new HydraConfigError('UNKNOWN_PATH', `there is nothing at '${path}'`, {
    path,
    class: 'ConfigKeyError',
  })
}
