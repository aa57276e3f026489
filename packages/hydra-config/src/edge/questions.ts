import { type Change, changesBetween } from '../compose/changes.ts'
import { type ToYamlOptions, yamlOf } from '../compose/composition.ts'
import { type CompositionView, viewOf } from '../compose/composition-view.ts'
import { type ConfigNode, ConfigTree } from '../compose/config-node.ts'
import { digestOf } from '../compose/digest.ts'
import type { Provenance } from '../explain/provenance.ts'
import type { Composition, SettledComposition } from './compose.ts'

/** `tree` of a composition of the package. */
export function treeOf(composition: Composition): ConfigNode {
  return viewIn(composition).tree
}

/**
 * `explain` of a composition of the package: where the value at a path comes from.
 * @throws {HydraConfigError} `UNKNOWN_PATH` where nothing is, nor ever was
 */
export function explain(composition: Composition, path: string): Provenance {
  return viewIn(composition).explain(path)
}

/**
 * `diff` of a composition of the package.
 * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`
 */
export function diff(composition: Composition, other: Composition): readonly Change[] {
  return changesBetween(treeOf(composition), treeOf(other))
}

/**
 * `digest()` of a composition of the package.
 * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`
 */
export function digest(composition: Composition): string {
  return digestOf(treeOf(composition).resolved())
}

/**
 * `toYAML` of a composition of the package.
 * @throws {HydraConfigError} `UNKNOWN_PATH`, and with `resolve` `INTERPOLATION_UNRESOLVED`
 */
export function toYAML(composition: Composition, options?: ToYamlOptions): string {
  return yamlOf(treeOf(composition), options)
}

const views = new WeakMap<SettledComposition, CompositionView>()

function viewIn({ '~composed': composed }: Composition): CompositionView {
  const known = views.get(composed)
  if (known !== undefined) return known
  const view = viewOf(composed, new ConfigTree(composed.place, composed.resolve, composed.resolution))
  views.set(composed, view)
  return view
}
