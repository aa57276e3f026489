import type { Semantics } from '../semantics.ts'
import { type StoredConfig, StoredFiles, storedConfig } from '../source/stored-files.ts'
import type { StructType } from '../value/typing.ts'
import type { ConfigFile, MapValue, Value } from '../value/value.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import type { DefaultItem } from './default-item.ts'
import { packageHeader } from './package-header.ts'
import { parseDefaults } from './parse-defaults.ts'
import { ParsedConfigs } from './parsed-configs.ts'

/** One config as it was read. */
export interface LoadedConfig {
  readonly path: string
  readonly header: string | undefined
  /** The config without its defaults list. */
  readonly body: Value
  /** Of a structured config: its type. */
  readonly struct?: StructType | undefined
  /** Makes the items of its defaults list anew: they change while they are expanded. */
  readonly defaults: () => DefaultItem[]
  /** Whether Hydra brings it along: in the merge of these, nothing depends on where an interpolation leads. */
  readonly isOwn?: true
  /** Of a config that is kept, for most compositions merge it as the last one did. */
  readonly lastMerge?: LastMerge
}

/** What a config was merged into last, below which package, and what it gave: all that decides this is in here. */
interface LastMerge {
  root?: Value
  package?: string
  merged?: Value
}

/** Hydra's own configs, which never change either: each is parsed once. */
const ownConfigs = new ParsedConfigs()

/** The files of one search path: of several sources with one config, the first has it. */
export class Repository {
  readonly sources: readonly {
    /** As Hydra calls this place of the search path, such as `main`. */
    readonly provider: string
    /** The source's own path, such as `file:///srv/app/conf`. */
    readonly path: string
    readonly files: ReadonlyMap<string, string>
  }[]
  readonly semantics: Semantics
  readonly #parsed: ParsedConfigs | undefined
  readonly #loaded = new Map<string, LoadedConfig | undefined>()
  readonly #hasStored: boolean
  #groups: ReadonlySet<string> | undefined

  /** @param parsed configs of other repositories, to be shared */
  constructor(sources: Repository['sources'], semantics: Semantics = 'hydra-1.3', parsed?: ParsedConfigs) {
    this.sources = sources
    this.semantics = semantics
    this.#parsed = parsed
    this.#hasStored = sources.some(({ files }) => files instanceof StoredFiles)
  }

  /** @throws {HydraConfigError} for a config that cannot be read; undefined where there is none */
  load(path: string): LoadedConfig | undefined {
    if (this.#loaded.has(path)) return this.#loaded.get(path)
    const loaded = this.#read(path)
    this.#loaded.set(path, loaded)
    return loaded
  }

  /** The stored config with the name of a file, by which Hydra checks the file; undefined for a stored config itself. */
  schemaOf(path: string): StoredConfig | undefined {
    if (!this.#hasStored) return undefined
    const file = fileOf(path)
    const first = this.sources.find(({ files }) => file !== undefined && files.has(file))
    if (file === undefined || first === undefined || storedConfig(first.files, file) !== undefined)
      return undefined
    for (const { files } of this.sources) {
      const stored = storedConfig(files, file)
      if (stored !== undefined) return stored
    }
    return undefined
  }

  has(path: string): boolean {
    const file = fileOf(path)
    return file !== undefined && this.sources.some(({ files }) => files.has(file))
  }

  hasGroup(path: string): boolean {
    const folder = normalized(path)
    return folder === '' || (folder !== undefined && this.groups().has(folder))
  }

  /** Every config group, such as `db` and `db/engine`. */
  readonly groups = (): ReadonlySet<string> => {
    this.#groups ??= groupsOf(this.sources)
    return this.#groups
  }

  /** Names of the configs of a group, sorted. */
  options(group: string): string[] {
    const folder = normalized(group)
    if (folder === undefined) return []
    const prefix = folder === '' ? '' : `${folder}/`
    const names = new Set<string>()
    for (const { files } of this.sources) {
      for (const file of files.keys()) {
        const name = file.startsWith(prefix) ? file.slice(prefix.length) : '/'
        if (!name.includes('/') && name.endsWith('.yaml')) names.add(name.slice(0, -'.yaml'.length))
      }
    }
    return [...names].toSorted()
  }

  /** Names of the config groups below a group, '' for the root; sorted. */
  groupsIn(parent: string): string[] {
    const folder = normalized(parent)
    if (folder === undefined) return []
    const prefix = folder === '' ? '' : `${folder}/`
    const names = new Set<string>()
    for (const { files } of this.sources) {
      for (const file of files.keys()) {
        const end = file.startsWith(prefix) ? file.indexOf('/', prefix.length) : -1
        if (end !== -1) names.add(file.slice(prefix.length, end))
      }
    }
    return [...names].toSorted()
  }

  #read(path: string): LoadedConfig | undefined {
    const file = fileOf(path)
    if (file === undefined) return undefined
    for (const { provider, path: source, files } of this.sources) {
      const text = files.get(file)
      if (text === undefined) continue
      const stored = storedConfig(files, file)
      if (stored !== undefined) return readStored(path, stored, this.semantics)
      const key = `${this.semantics}\0${source}\0${path}`
      const read = (): LoadedConfig =>
        readConfig(path, text, { source, config: file.slice(0, -'.yaml'.length) }, this.semantics)
      if (provider === 'hydra') return ownConfigs.get(key, text, () => ({ ...read(), isOwn: true }))
      return this.#parsed?.get(key, text, read) ?? read()
    }
    return undefined
  }
}

function groupsOf(sources: Repository['sources']): Set<string> {
  const found = new Set<string>()
  for (const { files } of sources) {
    for (const file of files.keys()) {
      for (let end = file.lastIndexOf('/'); end > 0; end = file.lastIndexOf('/', end - 1)) {
        const group = file.slice(0, end)
        // The groups around it are known then as well.
        if (found.has(group)) break
        found.add(group)
      }
    }
  }
  return found
}

function readStored(path: string, stored: StoredConfig, semantics: Semantics): LoadedConfig {
  const { value, struct, package: header } = stored
  const list = value.kind === 'map' ? value.entries.get('defaults') : undefined
  if (value.kind !== 'map' || list === undefined) {
    return { path, header, struct, body: value, defaults: () => [] }
  }
  const isMissing = list.kind === 'scalar' && list.value === '???'
  const defaults = isMissing ? () => [] : parseDefaults(path, list, semantics)
  return { path, header, struct, body: without(value, 'defaults'), defaults }
}

function readConfig(path: string, text: string, file: ConfigFile, semantics: Semantics): LoadedConfig {
  const header = packageHeader(path, text, file)
  const whole = parseYaml(text, file)
  if (whole.kind !== 'map') return { path, header, body: whole, defaults: () => [] }
  const list = whole.entries.get('defaults')
  if (list === undefined) return { path, header, body: whole, defaults: () => [] }
  return { path, header, body: without(whole, 'defaults'), defaults: parseDefaults(path, list, semantics) }
}

function without(whole: MapValue, key: string): MapValue {
  return { ...whole, entries: new Map(whole.entries.entries().filter(([each]) => each !== key)) }
}

function fileOf(path: string): string | undefined {
  return normalized(path.endsWith('.yaml') ? path : `${path}.yaml`)
}

/** A step that is empty, `.` or `..`. */
const oddStep = /(?:^|\/)\.{0,2}(?:\/|$)/

/** The path with `.`, `..` and empty steps taken; undefined where it leaves the source. */
function normalized(path: string): string | undefined {
  if (path.startsWith('/')) return undefined
  if (!oddStep.test(path)) return path
  const steps: string[] = []
  for (const step of path.split('/')) {
    if (step === '..') {
      if (steps.pop() === undefined) return undefined
    } else if (step !== '' && step !== '.') steps.push(step)
  }
  return steps.join('/')
}
