import { resolverCalls } from '../interpolation/call-resolver.ts'
import { Taint } from '../interpolation/taint.ts'
import type { Semantics } from '../semantics.ts'
import { readFailed } from '../source/read-files.ts'
import type { ConfigFile } from '../value/value.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { ConfigRepository, normalized } from './config-repository.ts'
import type { LoadedConfig } from './loaded-config.ts'
import { readConfig } from './package-header.ts'
import { hydraItems } from './parse-defaults.ts'
import { ParsedConfigs } from './parsed-configs.ts'
import { strictItems } from './strict-items.ts'
import { strictRules } from './strict-rules.ts'

/** Hydra's own configs, which never change either: each is parsed once. */
const ownConfigs = new ParsedConfigs()

/** The files of one search path, read as all of YAML by the rules of `semantics`. */
export class Repository extends ConfigRepository {
  readonly #parsed: ParsedConfigs | undefined

  /** @param parsed configs of other repositories, to be shared */
  constructor(sources: Repository['sources'], semantics: Semantics = 'hydra-1.3', parsed?: ParsedConfigs) {
    const isStrict = semantics === 'strict'
    super(sources, {
      semantics,
      text: (text, file) => readConfig(text, file, parseYaml),
      items: isStrict ? strictItems : hydraItems,
      strict: isStrict ? strictRules : undefined,
      parts: { resolverCalls, taint: () => new Taint(), yaml: (text) => parseYaml(text) },
    })
    this.#parsed = parsed
  }

  /** @throws {HydraConfigError} `SOURCE_READ` for what a source throws of a file, and as {@link ConfigRepository.load} */
  override load(path: string): LoadedConfig | undefined {
    try {
      return super.load(path)
    } catch (cause) {
      throw readFailed(`the config '${path}'`, cause)
    }
  }

  protected override readText(path: string, text: string, file: ConfigFile, provider: string): LoadedConfig {
    const isOwn = provider === 'hydra'
    const parsed = isOwn ? ownConfigs : this.#parsed
    if (parsed === undefined) return super.readText(path, text, file, provider)
    return parsed.get(`${this.semantics}\0${file.source}\0${path}`, text, () => {
      const read = super.readText(path, text, file, provider)
      return isOwn ? { ...read, isOwn } : read
    })
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
}
