import { throwIfAborted } from '../aborted.ts'
import type { ResultDefault } from '../defaults/defaults-tree.ts'
import { expandDefaults } from '../defaults/expand.ts'
import { ownConfigs } from '../defaults/own-configs.ts'
import { Repository } from '../defaults/repository.ts'
import type { ResolveOptions } from '../interpolation/resolve.ts'
import type { Environment } from '../interpolation/resolver.ts'
import { survey } from '../interpolation/survey.ts'
import { wholeResolution } from '../interpolation/whole.ts'
import { searchPathPlaces } from '../job/search-path.ts'
import { functionGrammar } from '../override/function-syntax.ts'
import type { Override } from '../override/override.ts'
import { parseOverrides } from '../override/parse-overrides.ts'
import { systemEnvironment, systemWallClock } from '../ports.ts'
import type { DeepReadonly, StandardSchema } from '../schema/standard-schema.ts'
import { type SecretsOptions, secretsOf } from '../secret/secrets.ts'
import { checkSemantics, type Semantics } from '../semantics.ts'
import type { ConfigSource } from '../source/source.ts'
import { isStoredFiles } from '../source/stored-files.ts'
import { sharedCopyOf } from '../value/shared-entries.ts'
import type { Value } from '../value/value.ts'
import { checkOptions, sourcesOf } from './check-options.ts'
import {
  type ComposedLayers,
  type Composing,
  composedOf,
  composeLayers,
  ownDefaults,
} from './compose-layers.ts'
import { type Composition, compositionOf, settledComposition } from './composition.ts'
import type { EarlierCompositions } from './earlier.ts'
import { hydraSource } from './hydra-configs.ts'
import { hydraResolvers } from './hydra-resolvers.ts'
import { hydraRules } from './hydra-rules.ts'
import type { Layer } from './layer.ts'
import { Observer, type ObserverOptions } from './observer.ts'

/** Options of {@link compose}. */
export interface ComposeOptions
  extends Omit<ResolveOptions, 'cache' | 'parts' | 'secretEnvironment' | 'secretPaths'>,
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
  /** What compositions with the same options left, to be used again. Default: nothing. */
  readonly earlier?: EarlierCompositions | undefined
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
    const { secretPaths } = resolve
    // What is secret is marked while it is composed.
    const earlier = secretPaths === undefined ? options.earlier?.of(repository, config, overrides) : undefined
    const isPlain = options.schema === undefined && options.signal === undefined
    if (earlier?.composition !== undefined && isPlain) return earlier.composition
    const composed =
      earlier?.composed === undefined
        ? composedIn(repository, config, parseOverrides(overrides, { semantics, secretPaths }), resolve)
        : { ...earlier.composed, resolve }
    const composition = await settledComposition(composed, options)
    if (earlier !== undefined && composed.always) {
      earlier.composed = composed
      if (isPlain && isFixed(composed.root)) earlier.composition = composition
    }
    return composition
  })
}

/** Whether these are values that nobody can change, and nothing in them is to be resolved. */
function isFixed(value: Value): boolean {
  if (value.kind === 'scalar') return !(value.value instanceof Uint8Array)
  if (survey(value).interpolated) return false
  for (const each of value.kind === 'list' ? value.items : value.entries.values()) {
    if (!isFixed(each)) return false
  }
  return true
}

/** @param repository whose stored configs mark what is secret too */
export function resolveOptions(
  options: Omit<ComposeOptions, 'source'>,
  repository?: Pick<Repository, 'sources'>,
): ResolveOptions {
  const { environment = systemEnvironment, resolvers, secrets, schema, semantics, signal, warn } = options
  const all = { ...hydraResolvers(systemWallClock), ...resolvers }
  const stored = repository?.sources.map(({ files }) => files) ?? []
  const ofSecrets = secretsOf(secrets, schema, stored)
  return { parts: wholeResolution, environment, ...ofSecrets, resolvers: all, semantics, signal, warn }
}

/** The defaults list alone: what {@link compose} would compose, in its order. */
export async function defaultsList(options: ComposeOptions): Promise<readonly ResultDefault[]> {
  const { config, overrides = [], semantics = 'hydra-1.3' } = options
  const repository = await openRepository(options)
  const { secretPaths } = resolveOptions(options, repository)
  const parsed = parseOverrides(overrides, { semantics, secretPaths })
  const asked = { repository, config: config ?? null, overrides: parsed }
  const expanded = expandDefaults({ ...asked, own: ownConfigs })
  return ownDefaults(expanded.list)
}

export async function openRepository(options: ComposeOptions): Promise<Repository> {
  const { source, resolveSource: open, semantics = 'hydra-1.3', earlier, signal } = options
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
  const places = all.filter(({ files }) => !isStoredFiles(files))
  const schemas = all
    .filter(({ files }) => isStoredFiles(files))
    .map((place) => ({ ...place, provider: 'schema' }))
  const repositoryOf = (path: Repository['sources']): Repository =>
    earlier?.repositoryOf(path, semantics) ?? new Repository(path, semantics)
  const repository = repositoryOf([...places, ...schemas])
  if (open === undefined) return repository
  const resolve = resolveOptions(options, repository)
  const { secretPaths } = resolve
  const overrides = parseOverrides(options.overrides ?? [], { semantics, secretPaths })
  const asked = { config: options.config, overrides, open, resolve }
  const more = await searchPathPlaces(repository, asked, options.warn ?? (() => {}))
  return more.length === 0 ? repository : repositoryOf([...places, ...more, ...schemas])
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
): ReturnType<typeof composedOf> {
  const composed = composedOf({ repository, config, overrides, resolve, ...partsFor(overrides) })
  const { always, layers } = composed
  return { ...composed, always: always && !(overrides.some(asksFor) && layers.some(bringsInterpolation)) }
}

// For fewer, copies one by one are faster.
const manyOverrides = 64

function partsFor(overrides: readonly Override[]): Pick<Composing, 'functions' | 'copy' | 'hydra'> {
  const copy = overrides.length < manyOverrides ? undefined : sharedCopyOf
  return { functions: functionGrammar, copy, hydra: hydraRules }
}

/** Whether it matters what there is already, which is asked for through interpolations. */
function asksFor({ type }: Override): boolean {
  return type === 'ADD' || type === 'DEL'
}

function bringsInterpolation({ brings }: Layer): boolean {
  return brings !== undefined && survey(brings).interpolated
}

/** As {@link composeIn}, Hydra's own node and choices kept, sweeps left aside. */
export function composeWithHydra(
  repository: Repository,
  config: string | undefined,
  overrides: readonly Override[],
  skipMissing: boolean,
  resolve: ResolveOptions,
): ComposedLayers {
  return composeLayers({ repository, config, overrides, skipMissing, resolve, ...partsFor(overrides) })
}
