import { throwIfAborted } from '../aborted.ts'
import type { ResultDefault } from '../defaults/defaults-tree.ts'
import { type Explained, explain } from '../explain/explain.ts'
import { History } from '../explain/history.ts'
import type { Provenance } from '../explain/provenance.ts'
import type { ResolveOptions } from '../interpolation/resolve.ts'
import type { StandardSchema } from '../schema/standard-schema.ts'
import { validate } from '../schema/validate.ts'
import { SecretTexts } from '../secret/secret-texts.ts'
import { guardedView } from '../value/plain.ts'
import { redact, redactedText } from '../value/secret.ts'
import { type MapValue, map, type Value } from '../value/value.ts'
import { dumpYaml } from '../yaml/dump.ts'
import { type Change, changesBetween } from './changes.ts'
import { type ConfigNode, ConfigTree } from './config-node.ts'
import { digestOf } from './digest.ts'
import type { Layer } from './layer.ts'
import type { Path } from './path.ts'

/** One composed configuration. Nothing of it ever changes; what is made on demand is made once. */
export interface Composition<T = unknown> {
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
  /**
   * What is different in `other`, interpolations resolved and before any schema. The order of keys makes no
   * difference, that of items does; 1 and 1.0 are two values. Secrets are compared and shown as `***`.
   * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`
   */
  diff(other: Composition): readonly Change[]
  /**
   * SHA-256, in hexadecimal, of all values, interpolations resolved and before any schema. The order of keys makes no
   * difference, that of items does; 1 and 1.0 are two values. Of a secret it holds only that it is one, so that a
   * digest tells nothing of it: a new password is seen by `diff`.
   * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`
   */
  digest(): string
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
}

/** A composition whose resolvers have answered, checked by the schema if there is one. */
export async function settledComposition(
  composed: Composed,
  {
    schema,
    signal,
  }: { readonly schema?: StandardSchema | undefined; readonly signal?: AbortSignal | undefined },
): Promise<Composition> {
  const tree = new ConfigTree(composed.root, composed.resolve)
  try {
    await tree.settle()
  } catch (error) {
    throwIfAborted(signal)
    throw error
  }
  if (schema === undefined) return compositionOf(composed, tree)
  const value = await validate({ schema, written: composed.root, resolved: tree.root.resolved(), signal })
  return compositionOf(composed, tree, { value })
}

/** @param checked what the schema made of it, where there is one */
export function compositionOf(
  composed: Composed,
  configTree: ConfigTree = new ConfigTree(composed.root, composed.resolve),
  checked?: { readonly value: unknown },
): Composition {
  const { defaults, choices, resolve } = composed
  const tree = configTree.root
  let plain = checked
  let digest: string | undefined
  const explained: Explained = {
    tree,
    history: new History(composed.layers),
    readsOf: (node) => configTree.readsOf(node),
    environment: (name) => (resolve.secretEnvironment?.(name) ? redactedText : resolve.environment?.(name)),
    output: checked && outputOf(checked.value, tree),
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
    diff: (other) => changesBetween(tree, other.tree),
    digest() {
      digest ??= digestOf(tree.resolved())
      return digest
    },
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

/** What the output of a schema has at a path, where it is made of objects and arrays; `***` for what shows a secret. */
function outputOf(
  output: unknown,
  tree: ConfigNode,
): (keys: readonly string[]) => { readonly value: unknown } | undefined {
  let secrets: SecretTexts | undefined
  return (keys) => {
    secrets ??= new SecretTexts([tree.raw, tree.resolved()])
    let value = output
    for (const key of keys) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
      value = Reflect.get(value, key)
    }
    return { value: secrets.shows(value) ? redactedText : value }
  }
}
