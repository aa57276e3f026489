import type { ResultDefault } from '../defaults/expand.ts'
import type { ResolveOptions } from '../interpolation/resolve.ts'
import { plainView } from '../value/plain.ts'
import { redact } from '../value/secret.ts'
import { type MapValue, map, type Value } from '../value/value.ts'
import { dumpYaml } from '../yaml/dump.ts'
import { type ConfigNode, rootNode } from './config-node.ts'
import type { Layer } from './layer.ts'

/** One composed configuration. Nothing of it ever changes; what is made on demand is made once. */
export interface Composition<T = unknown> {
  /**
   * All values, interpolations resolved, as frozen objects and arrays: integers are numbers where that loses nothing,
   * else bigints. Where a schema is given, what the schema makes of them.
   * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`
   */
  readonly value: T
  /** The same as nodes: nothing is resolved before it is asked for, and integers are told from floats. */
  readonly tree: ConfigNode
  /** The configs that made it, in the order of composition, those that Hydra brings along left out. */
  readonly defaults: readonly ResultDefault[]
  /** The option of each config group by its override key, such as `db` or `db@backup`; null where none is chosen. */
  readonly choices: ReadonlyMap<string, string | null>
  /**
   * As `OmegaConf.to_yaml` writes it, secrets as `***`.
   * @throws {HydraConfigError} `UNKNOWN_PATH`, and with `resolve` `INTERPOLATION_UNRESOLVED`
   */
  toYAML(options?: ToYamlOptions): string
}

/** Options of {@link Composition.toYAML}. */
export interface ToYamlOptions {
  /** Resolves interpolations. Default: false. */
  readonly resolve?: boolean
  /** Writes what stands at this path alone, below a line `# @package <path>`; of a scalar the value alone. */
  readonly package?: string
  /** `reveal` writes secrets as they are. Default: `redact`. */
  readonly secrets?: 'redact' | 'reveal'
}

/** What a composition is made from. */
export interface Composed {
  readonly root: MapValue
  /** What was merged and applied to make the root, in order. */
  readonly layers: readonly Layer[]
  readonly defaults: readonly ResultDefault[]
  readonly choices: ReadonlyMap<string, string | null>
  readonly resolve: ResolveOptions
  /** What the schema made of it, where there is one. */
  readonly checked?: { readonly value: unknown } | undefined
}

export function compositionOf(composed: Composed): Composition {
  const { root, defaults, choices } = composed
  const tree = rootNode(root, composed.resolve)
  let plain = composed.checked
  return {
    get value(): unknown {
      plain ??= { value: plainView(tree.resolved()) }
      return plain.value
    },
    tree,
    defaults,
    choices,
    toYAML: (options) => yamlOf(tree, options),
  }
}

function yamlOf(
  tree: ConfigNode,
  { resolve = false, package: path, secrets = 'redact' }: ToYamlOptions = {},
): string {
  const node = path === undefined ? tree : tree.at(path)
  const value = resolve ? node.resolved() : node.raw
  const shown = secrets === 'reveal' ? value : redact(value)
  const text = shown.kind === 'scalar' ? scalarText(shown) : dumpYaml(shown)
  return path === undefined || shown.kind === 'scalar' ? text : `# @package ${path}\n${text}`
}

/** A scalar as it is written below a key. */
function scalarText(value: Value): string {
  return dumpYaml(map([['value', value]])).slice('value: '.length)
}
