import { throwIfAborted } from '../aborted.ts'
import type { DefaultsNode, ResultDefault } from '../defaults/defaults-tree.ts'
import { expandDefaults } from '../defaults/expand.ts'
import type { ParsedConfigs } from '../defaults/parsed-configs.ts'
import { Repository } from '../defaults/repository.ts'
import type { ResolveOptions } from '../interpolation/resolve.ts'
import type { Environment } from '../interpolation/resolver.ts'
import { searchPathPlaces } from '../job/search-path.ts'
import type { Override } from '../override/override.ts'
import { parseOverrides } from '../override/parse-overrides.ts'
import { systemEnvironment, systemWallClock } from '../ports.ts'
import type { DeepReadonly, StandardSchema } from '../schema/standard-schema.ts'
import { type SecretsOptions, secretsOf } from '../secret/secrets.ts'
import { checkSemantics, type Semantics } from '../semantics.ts'
import type { ConfigSource } from '../source/source.ts'
import { StoredFiles } from '../source/stored-files.ts'
import { type MapValue, map, type Value } from '../value/value.ts'
import { checkOptions, sourcesOf } from './check-options.ts'
import { type Composed, type Composition, compositionOf, settledComposition } from './composition.ts'
import { hydraSource } from './hydra-configs.ts'
import { conformHydra, ensureHydraKeys, ensureNoDeletion } from './hydra-keys.ts'
import { hydraResolvers } from './hydra-resolvers.ts'
import { configLayer, emptyRoot, type Layer, lockLayer, overrideLayer } from './layer.ts'
import { Observer, type ObserverOptions } from './observer.ts'
import { withoutChild } from './path-edit.ts'
import { refuseSweep } from './refuse-sweep.ts'

/** Options of {@link compose}. */
export interface ComposeOptions
  extends Omit<ResolveOptions, 'cache' | 'secretEnvironment' | 'secretPaths'>,
    ObserverOptions {
  /** The search path: of several sources with one config, the first has it. */
  readonly source: ConfigSource | readonly ConfigSource[]
  /**
   * Opens an entry of `hydra.searchpath`, such as `file:///srv/conf` or `pkg://app/conf`: `resolveSource` of the subpath
   * `./node`, where there is a file system. Default: such entries are left aside.
   */
  readonly resolveSource?: ((path: string) => ConfigSource) | undefined
  /** Name of the primary config, without `.yaml`. Default: none. */
  readonly config?: string
  /** As on Hydra's command line. Default: none. */
  readonly overrides?: readonly string[]
  /** Which rules it keeps to. Default: `hydra-1.3`. */
  readonly semantics?: Semantics | undefined
  /** What `oc.env` reads. Default: the variables of the process, where there is one. */
  readonly environment?: Environment | undefined
  /** What is secret, besides what `secret()` makes so and what the schema marks. Default: nothing. */
  readonly secrets?: SecretsOptions | undefined
  /** Checks the values and gives them their type: any Standard Schema v1, such as one of zod, valibot or arktype. */
  readonly schema?: StandardSchema | undefined
  /** Configs that were parsed before, to be shared by compositions. Default: none. */
  readonly parsed?: ParsedConfigs | undefined
  /** Ends the composition: its promise rejects with `ABORTED`, the signal's reason as its `cause`. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Composes a configuration as Hydra 1.3 does: defaults list, packages, overrides.
 *
 * @throws {HydraConfigError} `OVERRIDE_PARSE`, `COMPOSITION`, `MISSING_CONFIG`, `INVALID_DEFAULTS`,
 * `INVALID_HEADER`, and with a schema `CONFIG_INVALID`, `INTERPOLATION_UNRESOLVED`
 */
export async function compose<Output>(
  options: ComposeOptions & { readonly schema: StandardSchema<unknown, Output> },
): Promise<Composition<DeepReadonly<Output>>>
export async function compose(options: ComposeOptions): Promise<Composition>
export async function compose(options: ComposeOptions): Promise<Composition> {
  const { config, overrides = [], semantics = 'hydra-1.3' } = options
  const observer = new Observer(options)
  checkOptions(options)
  return observer.compose(config, async () => {
    throwIfAborted(options.signal)
    const repository = await openRepository(options)
    const resolvers = observer.resolvers(options.resolvers)
    const resolve = resolveOptions({ ...options, resolvers }, repository)
    const parsed = parseOverrides(overrides, { semantics, secretPaths: resolve.secretPaths })
    return settledComposition(composedIn(repository, config, parsed, resolve), options)
  })
}

/** @param repository whose stored configs mark what is secret too */
export function resolveOptions(
  options: Omit<ComposeOptions, 'source'>,
  repository?: Pick<Repository, 'sources'>,
): ResolveOptions {
  const { environment = systemEnvironment, resolvers, secrets, schema, semantics, signal, warn } = options
  const all = { ...hydraResolvers(systemWallClock), ...resolvers }
  const stored = repository?.sources.map(({ files }) => files) ?? []
  return { environment, ...secretsOf(secrets, schema, stored), resolvers: all, semantics, signal, warn }
}

/** The defaults list alone: what {@link compose} would compose, in its order. */
export async function defaultsList(options: ComposeOptions): Promise<readonly ResultDefault[]> {
  const { config, overrides = [], semantics = 'hydra-1.3' } = options
  const repository = await openRepository(options)
  const { secretPaths } = resolveOptions(options, repository)
  const parsed = parseOverrides(overrides, { semantics, secretPaths })
  return ownDefaults(expandDefaults({ repository, config: config ?? null, overrides: parsed }).list)
}

export async function openRepository(options: ComposeOptions): Promise<Repository> {
  const { source, resolveSource: open, semantics = 'hydra-1.3', parsed, signal } = options
  checkSemantics(semantics)
  const observer = new Observer(options)
  const sources = [hydraSource, ...sourcesOf(source)]
  const all = await Promise.all(
    sources.map(async (each, index) => ({
      provider: index === 0 ? 'hydra' : 'main',
      path: each.path,
      files: await observer.load(each, signal),
    })),
  )
  const places = all.filter(({ files }) => !(files instanceof StoredFiles))
  const schemas = all
    .filter(({ files }) => files instanceof StoredFiles)
    .map((place) => ({ ...place, provider: 'schema' }))
  const repository = new Repository([...places, ...schemas], semantics, parsed)
  if (open === undefined) return repository
  const resolve = resolveOptions(options, repository)
  const { secretPaths } = resolve
  const overrides = parseOverrides(options.overrides ?? [], { semantics, secretPaths })
  const asked = { config: options.config, overrides, open, resolve }
  const more = await searchPathPlaces(repository, asked, options.warn ?? (() => {}))
  return more.length === 0 ? repository : new Repository([...places, ...more, ...schemas], semantics, parsed)
}

export function composeIn(
  repository: Repository,
  config: string | undefined,
  overrides: readonly Override[],
  resolve: ResolveOptions = resolveOptions({}),
): Composition {
  return compositionOf(composedIn(repository, config, overrides, resolve))
}

function composedIn(
  repository: Repository,
  config: string | undefined,
  overrides: readonly Override[],
  resolve: ResolveOptions,
): Composed {
  // What is wrong with the primary config is told before what is wrong with overrides, as Hydra does.
  if (config !== undefined) repository.load(config)
  for (const override of overrides) refuseSweep(override)
  const { value, layers, list, choices } = composeWithHydra(repository, config, overrides, false, resolve)
  const known = choices.entries().filter(([key]) => !key.startsWith('hydra/'))
  const own = withoutChild(value, 'hydra')
  return { root: own, layers, defaults: ownDefaults(list), choices: new Map(known), resolve }
}

/** As {@link composeIn}, Hydra's own node and choices kept, sweeps left aside. */
export function composeWithHydra(
  repository: Repository,
  config: string | undefined,
  overrides: readonly Override[],
  skipMissing: boolean,
  resolve: ResolveOptions,
): {
  readonly value: MapValue
  readonly layers: readonly Layer[]
  readonly list: readonly ResultDefault[]
  readonly choices: ReadonlyMap<string, string | null>
  readonly trees: readonly DefaultsNode[]
} {
  const expanded = expandDefaults({ repository, config: config ?? null, overrides, skipMissing })
  const layers: Layer[] = []
  let value: Value = emptyRoot
  const add = (layer: Layer): void => {
    value = layer.apply(value)
    layers.push(layer)
  }
  const context = { semantics: repository.semantics, groups: repository.groups }
  let typed = false
  for (const each of expanded.list) {
    const layer = configLayer(repository, each, resolve)
    add(layer)
    typed ||= layer.typed
  }
  if (value.kind !== 'map') value = map([])
  ensureHydraKeys(value)
  if (typed) add(lockLayer)
  for (const each of expanded.choices.configOverrides) {
    add(overrideLayer(each, { ...context, resolve }))
    ensureNoDeletion(each.override)
    if (each.override.key.startsWith('hydra') && value.kind === 'map') value = conformHydra(value)
  }
  const whole = value.kind === 'map' ? conformHydra(value) : map([])
  const { list, choices, trees } = expanded
  return { value: whole, layers, list, choices: choices.known, trees }
}

function ownDefaults(list: readonly ResultDefault[]): readonly ResultDefault[] {
  return list.filter(({ config }) => !config.startsWith('hydra/') && config !== '_dummy_empty_config_')
}
