import { valueOf } from '../compose/element-value.ts'
import { hydraSource } from '../compose/hydra-configs.ts'
import { primaryBody } from '../defaults/expand.ts'
import { Repository } from '../defaults/repository.ts'
import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import { type ResolveOptions } from '../interpolation/resolve.ts'
import { select } from '../interpolation/resolve-all.ts'
import { type Element, isList, isQuoted, type Override } from '../override/override.ts'
import type { Semantics } from '../semantics.ts'
import { readFailed, readFiles } from '../source/read-files.ts'
import type { ConfigSource } from '../source/source.ts'
import { pythonString } from '../value/python-string.ts'
import { scalar, type Value } from '../value/value.ts'

/** What a command line composes from. */
export interface SearchPathOptions {
  /** Undefined for an app without a config directory. */
  readonly main: ConfigSource | undefined
  /** That of `--config-dir`. */
  readonly configDir: ConfigSource | undefined
  /** What stands in for Hydra's store of structured configs. */
  readonly schema: ConfigSource
  readonly config: string | undefined
  /** Parsed when the app's directory was found, as Hydra does. */
  readonly overrides: () => readonly Override[]
  /** Opens an entry of `hydra.searchpath`, such as `file:///srv/conf` or `pkg://app/conf`. */
  readonly open: (path: string) => ConfigSource
  readonly resolve: ResolveOptions
  readonly warn: (message: string) => void
  readonly semantics: Semantics
}

type Place = Repository['sources'][number]

/**
 * The configs of Hydra's search path: its own, the app's, that of `--config-dir`, those of `hydra.searchpath`, the
 * schemas.
 * @throws {HydraConfigError} `MISSING_CONFIG` where the app's directory is not there, `COMPOSITION` for a
 * `hydra.searchpath` that is no list of strings, and what sources throw
 */
export async function openSearchPath(options: SearchPathOptions): Promise<Repository> {
  const { main, configDir, schema, warn } = options
  const hydra = await placeOf('hydra', hydraSource)
  const mine = main === undefined ? [] : [await mainPlace(main)]
  const added = configDir === undefined ? [] : [await placeOf('command-line', configDir)]
  const schemas = await placeOf('schema', schema)
  const first = [hydra, ...mine, ...added, schemas]
  const repository = new Repository(first, options.semantics)
  const more = await searchPathPlaces(repository, { ...options, overrides: options.overrides() }, warn)
  if (more.length === 0) return repository
  return new Repository([...first.slice(0, -1), ...more, schemas], options.semantics)
}

/**
 * The sources that `hydra.searchpath` adds, each with its files; one that is not there is warned of and has none.
 * @throws {HydraConfigError} `COMPOSITION` for a `hydra.searchpath` that is no list of strings, and what sources throw
 */
export async function searchPathPlaces(
  repository: Repository,
  options: Pick<SearchPathOptions, 'config' | 'open' | 'resolve'> & {
    readonly overrides: readonly Override[]
  },
  warn: (message: string) => void,
): Promise<readonly Place[]> {
  const found = searchPathOf(repository, options)
  if (found === undefined) return []
  return await Promise.all(
    found.paths.map(async (path) => {
      const source = opened(path, options.open)
      return availablePlace({ provider: found.provider, path: toldPath(path, source) }, source, warn)
    }),
  )
}

/** As Hydra tells it: a relative one of a folder stays as it is written. */
function toldPath(path: string, source: ConfigSource): string {
  if (!source.path.startsWith('file://')) return source.path
  return path.startsWith('file://') ? path : `file://${path}`
}

function opened(path: string, open: SearchPathOptions['open']): ConfigSource {
  try {
    return open(path)
  } catch (cause) {
    throw readFailed(path, cause)
  }
}

async function placeOf(provider: string, source: ConfigSource): Promise<Place> {
  return { provider, path: source.path, files: await readFiles(source) }
}

async function mainPlace(source: ConfigSource): Promise<Place> {
  try {
    return await placeOf('main', source)
  } catch (cause) {
    if (!isMissingSource(cause)) throw cause
    const path = source.path.replace(/^\w+:\/\//, '')
    const message = source.path.startsWith('pkg://')
      ? `Primary config module '${path}' not found.\nCheck that it's correct and contains an __init__.py file`
      : `Primary config directory not found.\nCheck that the config directory '${path}' exists and readable`
    throw new HydraConfigError('MISSING_CONFIG', message, { class: 'MissingConfigException', cause })
  }
}

/** What is not there is warned of, and has nothing. */
async function availablePlace(
  told: Pick<Place, 'provider' | 'path'>,
  source: ConfigSource,
  warn: (message: string) => void,
): Promise<Place> {
  try {
    return { ...told, files: await readFiles(source) }
  } catch (error) {
    if (!isMissingSource(error)) throw error
    warn(`provider=${told.provider}, path=${told.path.replace(/^\w+:\/\//, '')} is not available.`)
    return { ...told, files: new Map() }
  }
}

function isMissingSource(error: unknown): boolean {
  return isHydraConfigError(error) && error.code === 'SOURCE_NOT_FOUND'
}

/** `hydra.searchpath` of the command line, else of the primary config; undefined where neither has it. */
function searchPathOf(
  repository: Repository,
  {
    config,
    overrides,
    resolve,
  }: Pick<SearchPathOptions, 'config' | 'resolve'> & { readonly overrides: readonly Override[] },
): { readonly provider: string; readonly paths: readonly string[] } | undefined {
  const body = config === undefined ? undefined : primaryBody(repository, config)
  const override = overrides.find(
    ({ key, type, package: ofPackage }) =>
      key === 'hydra.searchpath' && type === 'CHANGE' && ofPackage === undefined,
  )
  if (override !== undefined && override.value !== null) {
    return { provider: 'hydra.searchpath in command-line', paths: textsOf(override.value) }
  }
  const found = body && select(body, 'hydra.searchpath', resolve)
  if (found === undefined) return undefined
  if (found.kind !== 'list') return refuseValue(found)
  const paths = found.items.map((item) =>
    item.kind === 'scalar' && typeof item.value === 'string' ? item.value : refuseValue(found),
  )
  return { provider: 'hydra.searchpath in main', paths }
}

function textsOf(value: Element): readonly string[] {
  if (!isList(value)) return refuseElement(value)
  return value.map((item) => {
    if (typeof item === 'string') return item
    return isQuoted(item) ? item.text : refuseElement(value)
  })
}

function refuseElement(value: Element): never {
  const isPlain = value === null || typeof value !== 'object' || isList(value) || isQuoted(value)
  return refuseValue(isPlain ? valueOf(value) : scalar(`a ${value.kind}`))
}

function refuseValue(value: Value): never {
  return refuse(`hydra.searchpath must be a list of strings. Got: ${pythonString(value)}`)
}

function refuse(message: string): never {
  throw new HydraConfigError('COMPOSITION', message, { class: 'ConfigCompositionException' })
}
