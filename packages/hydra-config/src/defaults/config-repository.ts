import type { ResolutionParts } from '../interpolation/options.ts'
import type { Semantics } from '../semantics.ts'
import { isStoredFiles, type StoredConfig, type StoredFiles } from '../source/stored-files.ts'
import { type ValueConfig, ValueFiles } from '../source/value-files.ts'
import { isMissing } from '../value/place.ts'
import type { ConfigFile, MapValue } from '../value/value.ts'
import type { LoadedConfig } from './loaded-config.ts'
import { type ItemRules, parseDefaults } from './parse-defaults.ts'
import type { StrictRules } from './strict-rules.ts'

/** By which rules configs are read. */
export interface Reading {
  readonly semantics: Semantics
  /** @throws {HydraConfigError} for a text that is no configuration */
  readonly text: (text: string, file: ConfigFile) => ValueConfig
  readonly items: ItemRules
  /** Undefined by the rules of Hydra 1.3. */
  readonly strict?: StrictRules | undefined
  /** What interpolations of defaults lists can do. */
  readonly parts?: ResolutionParts | undefined
}

/** The files of one search path: of several sources with one config, the first has it. */
export class ConfigRepository {
  readonly sources: readonly {
    /** As Hydra calls this place of the search path, such as `main`. */
    readonly provider: string
    /** The source's own path, such as `file:///srv/app/conf`. */
    readonly path: string
    readonly files: ReadonlyMap<string, string>
  }[]
  readonly semantics: Semantics
  readonly strict: StrictRules | undefined
  readonly parts: ResolutionParts | undefined
  /** Whether Hydra's own configs are there. */
  readonly hasOwn: boolean
  readonly #reading: Reading
  /** By the path with `.yaml` behind it; null where there is none. */
  readonly #loaded = new Map<string, LoadedConfig | null>()
  readonly #stored: readonly StoredFiles[]
  #groups: ReadonlySet<string> | undefined

  constructor(sources: ConfigRepository['sources'], reading: Reading) {
    this.sources = sources
    this.semantics = reading.semantics
    this.strict = reading.strict
    this.parts = reading.parts
    this.hasOwn = sources.some(({ provider }) => provider === 'hydra')
    this.#reading = reading
    this.#stored = sources.map(({ files }) => files).filter(isStoredFiles)
  }

  /** @throws {HydraConfigError} for a config that cannot be read; undefined where there is none */
  load(path: string): LoadedConfig | undefined {
    // By the name of the file: V8 looks up each text that is new to it among all texts, and this one once.
    const file = `${path}.yaml`
    const known = this.#loaded.get(file)
    if (known !== undefined) return known ?? undefined
    const loaded = this.#read(path, path.endsWith('.yaml') ? normalized(path) : normalized(file))
    this.#loaded.set(file, loaded ?? null)
    return loaded
  }

  /** The stored config with the name of a file, by which Hydra checks the file; undefined for a stored config itself. */
  schemaOf(path: string): StoredConfig | undefined {
    const file = this.#stored.length === 0 ? undefined : fileOf(path)
    if (file === undefined) return undefined
    const first = this.sources.find(({ files }) => files.has(file))?.files
    if (first === undefined || (isStoredFiles(first) && first.configs.has(file))) return undefined
    return this.#stored.find(({ configs }) => configs.has(file))?.configs.get(file)
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

  #read(path: string, file: string | undefined): LoadedConfig | undefined {
    if (file === undefined) return undefined
    for (const { provider, path: source, files } of this.sources) {
      const value = files instanceof ValueFiles ? files.configs.get(file) : undefined
      if (value !== undefined) return configOf(path, value, this.#reading)
      const text = files.get(file)
      if (text === undefined) continue
      // The path itself where it can be, rather than another text of the same characters.
      const config = file.length === path.length + '.yaml'.length ? path : file.slice(0, -'.yaml'.length)
      const place = { source, config }
      return this.readText(path, text, place, provider)
    }
    return undefined
  }

  /** The config of a text. */
  protected readText(path: string, text: string, file: ConfigFile, _provider: string): LoadedConfig {
    return configOf(path, this.#reading.text(text, file), this.#reading)
  }
}

function groupsOf(sources: ConfigRepository['sources']): Set<string> {
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

function configOf(path: string, { header, value, struct }: ValueConfig, { items }: Reading): LoadedConfig {
  const list = value.kind === 'map' ? value.entries.get('defaults') : undefined
  if (value.kind !== 'map' || list === undefined) {
    return { path, header, struct, body: value, defaults: [] }
  }
  const defaults = isMissing({ value: list }) ? [] : parseDefaults(path, list, items)
  return { path, header, struct, body: without(value, 'defaults'), defaults }
}

const noEntries: MapValue['entries'] = new Map()

/** @param key that is there */
function without(whole: MapValue, key: string): MapValue {
  if (whole.entries.size === 1) return { ...whole, entries: noEntries }
  const entries = new Map(whole.entries)
  entries.delete(key)
  return { ...whole, entries }
}

function fileOf(path: string): string | undefined {
  return normalized(path.endsWith('.yaml') ? path : `${path}.yaml`)
}

/** A step that is empty, `.` or `..`. */
const oddStep = /(?:^|\/)\.{0,2}(?:\/|$)/

/** The path with `.`, `..` and empty steps taken; undefined where it leaves the source. */
export function normalized(path: string): string | undefined {
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
