import { throwIfAborted } from '../aborted.ts'
import { checkOptions, sourcesOf } from '../compose/check-options.ts'
import { composedOf } from '../compose/compose-layers.ts'
import type { Composed, CompositionView } from '../compose/composition-view.ts'
import { refuse } from '../compose/refuse.ts'
import { ConfigRepository } from '../defaults/config-repository.ts'
import { hydraItems } from '../defaults/parse-defaults.ts'
import type { ResolutionParts, ResolveOptions } from '../interpolation/options.ts'
import { Resolution } from '../interpolation/resolve.ts'
import { needFeature } from '../need-feature.ts'
import { overrideOf } from '../override/evaluate.ts'
import type { Override } from '../override/override.ts'
import { readOverrides } from '../override/read-overrides.ts'
import { systemEnvironment } from '../ports.ts'
import type { SecretsOptions } from '../secret/secrets.ts'
import type { Semantics } from '../semantics.ts'
import type { ConfigSource } from '../source/source.ts'
import { isStoredFiles } from '../source/stored-files.ts'
import { Place } from '../value/place.ts'
import { guardedView } from '../value/plain.ts'
import type { ConfigFile } from '../value/value.ts'
import type { Feature } from './features.ts'

/** Options of `compose` at the edge. */
export interface ComposeOptions
  extends Pick<ResolveOptions, 'environment' | 'resolvers' | 'signal' | 'warn'> {
  /** The search path: of several sources with one config, the first has it. */
  readonly source: ConfigSource | readonly ConfigSource[]
  /** Name of the primary config, without `.yaml`. Default: none. */
  readonly config?: string
  /** As on Hydra's command line. Default: none. */
  readonly overrides?: readonly string[]
  /** Which rules it keeps to; `strict` needs the feature `strictSemantics`. Default: `hydra-1.3`. */
  readonly semantics?: Semantics
  /** What is secret, besides what `secret()` makes so. Default: nothing. */
  readonly secrets?: SecretsOptions
  /** What it can do besides. Default: nothing. */
  readonly features?: readonly Feature[]
}

/** One composed configuration. What else can be asked of it are functions, so that a bundle has those it uses. */
export interface Composition extends Pick<CompositionView, 'value' | 'defaults' | 'choices'> {
  readonly '~composed': SettledComposition
}

/** A composition whose resolvers have answered. */
export interface SettledComposition extends Composed {
  readonly place: Place
  readonly resolution: Resolution
}

/**
 * Composes a configuration as `compose` of the package does, but for what `features` leave out, Hydra's own node and
 * schemas. What needs a feature that is not there is refused by its name.
 *
 * @throws {HydraConfigError} `INVALID_OPTION`, `OVERRIDE_PARSE`, `YAML_INVALID`, `COMPOSITION`, `MISSING_CONFIG`,
 * `INVALID_DEFAULTS`, `INVALID_HEADER`
 */
export async function compose(options: ComposeOptions): Promise<Composition> {
  checkOptions(options)
  const { source, config, overrides = [], semantics = 'hydra-1.3', signal } = options
  const given = options.features ?? []
  const parts: ResolutionParts = Object.assign({}, ...given.map((each) => each.parts))
  const feature: Feature = Object.assign({}, ...given, { parts })
  const { strict } = feature
  if (semantics === 'strict' && strict === undefined) needFeature("semantics 'strict'", 'strictSemantics')
  const rules = semantics === 'strict' ? strict : undefined
  throwIfAborted(signal)
  const sources = await Promise.all(sourcesOf(source).map((each) => placeOf(each, signal)))
  throwIfAborted(signal)
  const repository = new ConfigRepository(
    sources.toSorted((a, b) => Number(isStoredFiles(a.files)) - Number(isStoredFiles(b.files))),
    {
      semantics,
      text: (text, file) => (feature.text ?? needYaml)(text, file, parts),
      items: rules?.items ?? hydraItems,
      strict: rules?.rules,
      parts,
    },
  )
  const resolve = resolveOptions(options, feature, repository)
  const calls = feature.functions?.({ semantics })
  const parsed = readOverrides(overrides, (text) => overrideOf(text, calls), resolve.secretPaths)
  for (const override of parsed) refuseOwn(override)
  const composed = composedOf({ repository, config, overrides: parsed, resolve, functions: calls?.grammar })
  const resolution = new Resolution(resolve)
  const root = new Place(composed.root)
  try {
    await resolution.settle(root)
  } catch (error) {
    throwIfAborted(signal)
    throw error
  }
  const { defaults, choices } = composed
  let plain: { readonly value: unknown } | undefined
  return {
    get value(): unknown {
      plain ??= { value: guardedView(resolution.all(root)) }
      return plain.value
    },
    defaults,
    choices,
    '~composed': { ...composed, place: root, resolution },
  }
}

async function placeOf(
  source: ConfigSource,
  signal: AbortSignal | undefined,
): Promise<ConfigRepository['sources'][number]> {
  const files = await source.files(signal)
  return { provider: isStoredFiles(files) ? 'schema' : 'main', path: source.path, files }
}

function resolveOptions(
  { environment = systemEnvironment, resolvers, secrets, semantics, signal, warn }: ComposeOptions,
  { parts, secrets: known }: Feature,
  { sources }: ConfigRepository,
): ResolveOptions {
  const files = sources.map((each) => each.files)
  const isMarked = (each: ConfigRepository['sources'][number]['files']): boolean =>
    isStoredFiles(each) && each.configs.values().some((config) => config.secrets.length > 0)
  const needsSecrets = secrets !== undefined || files.some(isMarked)
  if (needsSecrets && known === undefined) needFeature('what is secret', 'secretValues')
  const ofSecrets = known?.(secrets ?? {}, files)
  return { ...ofSecrets, parts, environment, resolvers, semantics, signal, warn }
}

function refuseOwn({ key, text }: Override): void {
  if (!/^hydra(?:[./]|$)/.test(key)) return
  refuse(`'${text}' changes Hydra's own configuration, which is not composed here`)
}

function needYaml(_text: string, { config }: ConfigFile): never {
  needFeature(`the text of '${config}'`, 'plainYaml or wholeYaml')
}
