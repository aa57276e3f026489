import type { ConfigRepository } from '../defaults/config-repository.ts'
import type { DefaultsNode, ResultDefault } from '../defaults/defaults-tree.ts'
import { expandDefaults } from '../defaults/expand.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import type { Override } from '../override/override.ts'
import type { FunctionGrammar } from '../override/syntax.ts'
import { OwnCopies } from '../value/own-copies.ts'
import type { TypeRules } from '../value/typing.ts'
import { type CopyEntries, type MapValue, map, type Value } from '../value/value.ts'
import type { Composed } from './composition-view.ts'
import type { HydraRules } from './hydra-rules.ts'
import { configLayer, emptyRoot, type Layer, lockLayer, overrideLayer } from './layer.ts'
import { withoutChild } from './path-edit.ts'
import { refuseSweep } from './refuse-sweep.ts'

/** What is composed, and how. */
export interface Composing {
  readonly repository: ConfigRepository
  /** Name of the primary config; undefined for none. */
  readonly config: string | undefined
  readonly overrides: readonly Override[]
  /** Lets groups of the option `???` pass. */
  readonly skipMissing?: boolean
  readonly resolve: ResolveOptions
  /** The functions that values of overrides may call. */
  readonly functions?: FunctionGrammar | undefined
  /** How overrides copy the entries of a map. Default: one by one. */
  readonly copy?: CopyEntries | undefined
  /** Undefined where Hydra's own node is not composed. */
  readonly hydra?: HydraRules | undefined
}

export interface ComposedLayers {
  readonly value: MapValue
  readonly layers: readonly Layer[]
  readonly list: readonly ResultDefault[]
  readonly choices: ReadonlyMap<string, string | null>
  readonly trees: readonly DefaultsNode[]
  /** Whether the same files and overrides give the same again, whatever resolvers and variables there are. */
  readonly always: boolean
}

/**
 * Composes one configuration, without Hydra's own node.
 * @throws {HydraConfigError} `COMPOSITION`, `MISSING_CONFIG`, `INVALID_DEFAULTS`, `INVALID_HEADER`
 */
export function composedOf(composing: Composing): Composed & Pick<ComposedLayers, 'always'> {
  const { repository, config, overrides, resolve } = composing
  // What is wrong with the primary config is told before what is wrong with overrides, as Hydra does.
  if (config !== undefined) repository.load(config)
  for (const override of overrides) refuseSweep(override)
  const { value, layers, list, choices, always } = composeLayers(composing)
  const known = choices.entries().filter(([key]) => !key.startsWith('hydra/'))
  const own = withoutChild(value, 'hydra')
  return { root: own, layers, defaults: ownDefaults(list), choices: new Map(known), resolve, always }
}

/** Composes the configs of the defaults list and the overrides; sweeps are left aside. */
export function composeLayers({
  repository,
  config,
  overrides,
  skipMissing = false,
  resolve,
  functions,
  copy,
  hydra: anyRules,
}: Composing): ComposedLayers {
  let always = true
  const warn = (message: string): void => {
    always = false
    resolve.warn?.(message)
  }
  const own = anyRules?.ownConfigs
  const expanded = expandDefaults({ repository, config: config ?? null, overrides, skipMissing, warn, own })
  const layers: Layer[] = []
  const copies = new OwnCopies(undefined, copy)
  let value: Value = emptyRoot
  const add = (layer: Layer): void => {
    const applied = layer.apply(value, copies)
    value = applied.root
    always &&= applied.always
    layers.push(layer)
  }
  const listed = new Set(expanded.list.map((each) => each.config))
  const hydra = anyRules?.choosing((name) => listed.has(name) && repository.load(name)?.isOwn === true)
  const context = { strict: repository.strict, hydra, groups: repository.groups, functions, resolve, copy }
  let rules: TypeRules | undefined
  for (const each of expanded.list) {
    const layer = configLayer(repository, each, resolve, hydra)
    add(layer)
    rules ??= layer.rules
  }
  if (value.kind !== 'map') value = map([])
  hydra?.ensureKeys(value)
  value = hydra?.conform(value) ?? value
  if (rules !== undefined) add(lockLayer(rules))
  for (const each of expanded.choices.configOverrides) {
    add(overrideLayer(each, context))
    if (hydra === undefined || value.kind !== 'map') continue
    hydra.ensureNoDeletion(each.override)
    if (each.override.key.startsWith('hydra')) value = hydra.conform(value)
  }
  const whole = value.kind === 'map' ? (hydra?.conform(value) ?? value) : map([])
  const { list, choices, trees } = expanded
  return { value: whole, layers, list, choices: choices.known, trees, always }
}

/** What the user's own configs are of a defaults list. */
export function ownDefaults(list: readonly ResultDefault[]): readonly ResultDefault[] {
  return list.filter(({ config }) => !config.startsWith('hydra/'))
}
