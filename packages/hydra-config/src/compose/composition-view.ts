import type { ResultDefault } from '../defaults/defaults-tree.ts'
import { type Explained, explain } from '../explain/explain.ts'
import { History } from '../explain/history.ts'
import type { Provenance } from '../explain/provenance.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { guardedView } from '../value/plain.ts'
import { redactedText } from '../value/secret.ts'
import type { MapValue } from '../value/value.ts'
import type { ConfigNode, ConfigTree } from './config-node.ts'
import type { Layer } from './layer.ts'
import type { Path } from './path.ts'

/** One composed configuration. Nothing of it ever changes; what is made on demand is made once. */
export interface CompositionView<T = unknown> {
  /**
   * All values, interpolations resolved, as frozen objects and arrays: integers are numbers where that loses nothing,
   * else bigints. To read one that is missing (`???`) is an error. Where a schema is given, what the schema makes of
   * them.
   * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`, `INTERPOLATION_CYCLE`; later `MISSING_VALUE`
   */
  readonly value: T
  /** The same as nodes: nothing is resolved before it is asked for, and integers are told from floats. */
  readonly tree: ConfigNode
  /** The configs that made it, in the order of composition, those that Hydra brings along left out. */
  readonly defaults: readonly ResultDefault[]
  /** The option of each config group by its override key, such as `db` or `db@backup`; null where none is chosen. */
  readonly choices: ReadonlyMap<string, string | null>
  /**
   * Where the value at a path comes from: file, line and column or place in an override; what it replaced; what its
   * interpolation read.
   * @throws {HydraConfigError} `UNKNOWN_PATH` where nothing is, nor ever was
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- without it no Composition<T> is a Composition
  explain<P extends Path<T>>(path: P): Provenance
}

/** What a composition is made from. */
export interface Composed {
  readonly root: MapValue
  /** What was merged and applied to make the root, in order. */
  readonly layers: readonly Layer[]
  readonly defaults: readonly ResultDefault[]
  readonly choices: ReadonlyMap<string, string | null>
  readonly resolve: ResolveOptions
}

/** What a schema made of a configuration. */
export interface Checked {
  readonly value: unknown
  readonly output: Explained['output']
}

export function viewOf(
  { layers, defaults, choices, resolve }: Composed,
  configTree: ConfigTree,
  checked?: Checked,
): CompositionView {
  const tree = configTree.root
  let plain: { readonly value: unknown } | undefined = checked
  const explained: Explained = {
    tree,
    history: new History(layers),
    readsOf: (node) => configTree.readsOf(node),
    environment: (name) => (resolve.secretEnvironment?.(name) ? redactedText : resolve.environment?.(name)),
    output: checked?.output,
    suggestion: resolve.parts?.suggestion,
  }
  return {
    get value(): unknown {
      plain ??= { value: guardedView(tree.resolved()) }
      return plain.value
    },
    tree,
    defaults,
    choices,
    explain: (path) => explain(explained, path),
  }
}
