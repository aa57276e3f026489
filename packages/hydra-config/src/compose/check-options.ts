import { HydraConfigError } from '../errors.ts'
import { checkSemantics } from '../semantics.ts'
import { shown } from '../shown.ts'
import type { ConfigSource } from '../source/source.ts'

/** The search path that is given as one source or several. */
export function sourcesOf(source: ConfigSource | readonly ConfigSource[]): readonly ConfigSource[] {
  const sources: readonly unknown[] = Array.isArray(source) ? source : [source]
  const wrong = sources.findIndex((each) => !isSource(each))
  if (wrong !== -1 || sources.length === 0) {
    const found = sources.length === 0 ? 'an empty array' : shown(sources[wrong])
    throw new HydraConfigError(
      'INVALID_OPTION',
      `source must be a source such as fromMemory({…}), or an array of them, not ${found}`,
    )
  }
  return sources.filter(isSource)
}

/** @throws {HydraConfigError} `INVALID_OPTION` */
export function checkOptions(options: {
  readonly config?: unknown
  readonly overrides?: unknown
  readonly semantics?: unknown
}): void {
  const { config, overrides, semantics } = options
  if (config !== undefined && (typeof config !== 'string' || config === '')) {
    throw new HydraConfigError('INVALID_OPTION', `config must be the name of a config, not ${shown(config)}`)
  }
  const wrong = Array.isArray(overrides)
    ? overrides.find((each) => typeof each !== 'string')
    : (overrides ?? undefined)
  if (wrong !== undefined) {
    throw new HydraConfigError(
      'INVALID_OPTION',
      `overrides must be an array of strings such as ['db.port=1'], not ${Array.isArray(overrides) ? 'one with ' : ''}${shown(wrong)}`,
    )
  }
  if (semantics !== undefined) checkSemantics(semantics)
}

function isSource(source: unknown): source is ConfigSource {
  return typeof source === 'object' && source !== null && 'path' in source && 'files' in source
}
