import { throwIfAborted } from '../aborted.ts'
import type { StandardSchema } from '../schema/standard-schema.ts'
import { validate } from '../schema/validate.ts'
import { SecretTexts } from '../secret/secret-texts.ts'
import { redact, redactedText } from '../value/secret.ts'
import { map, type Value } from '../value/value.ts'
import { dumpYaml } from '../yaml/dump.ts'
import { type Change, changesBetween } from './changes.ts'
import { type Composed, type CompositionView, viewOf } from './composition-view.ts'
import { type ConfigNode, ConfigTree } from './config-node.ts'
import { digestOf } from './digest.ts'

/** One composed configuration. Nothing of it ever changes; what is made on demand is made once. */
export interface Composition<T = unknown> extends CompositionView<T> {
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
  const tree = configTree.root
  let digest: string | undefined
  const output = checked && outputOf(checked.value, tree)
  return Object.assign(viewOf(composed, configTree, checked && { ...checked, output }), {
    diff: (other: Composition) => changesBetween(tree, other.tree),
    digest() {
      digest ??= digestOf(tree.resolved())
      return digest
    },
    toYAML: (options?: ToYamlOptions) => yamlOf(tree, options),
  })
}

export function yamlOf(
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

export type { Composed } from './composition-view.ts'
