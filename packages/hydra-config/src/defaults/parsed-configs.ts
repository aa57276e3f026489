import type { LoadedConfig } from './loaded-config.ts'

const maxConfigs = 10_000
/** Of how many the last merge is kept: it holds a whole configuration. */
const maxMerges = 256

/** Configs that were parsed before, to be used again as long as their texts stay the same. */
export class ParsedConfigs {
  readonly #configs = new Map<string, { readonly text: string; readonly config: LoadedConfig }>()

  /** @param key of all that the config depends on besides its text */
  get(key: string, text: string, parse: () => LoadedConfig): LoadedConfig {
    const before = this.#configs.get(key)
    // Of a text that stayed the same this compares two references.
    if (before?.text === text) return before.config
    if (this.#configs.size >= maxConfigs) this.#configs.clear()
    const parsed = parse()
    const keepsMerge =
      before === undefined ? this.#configs.size < maxMerges : before.config.lastMerge !== undefined
    const config = keepsMerge ? { ...parsed, lastMerge: {} } : parsed
    this.#configs.set(key, { text, config })
    return config
  }
}
