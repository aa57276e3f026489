import type { MapKey, Value } from '../value/value.ts'
import { typedError } from './typed-error.ts'

/**
 * The map with some of its keys only, as `OmegaConf.masked_copy` has it; keys that are not there are left out.
 * @throws {HydraConfigError} of class `ValueError` where `config` is no map
 */
export function maskedCopy(config: Value, keys: readonly MapKey[]): Value {
  if (config.kind !== 'map')
    throw typedError('ValueError', `only a map has keys to keep, not a ${config.kind}`)
  const wanted = new Set(keys)
  const kept = config.entries.entries().filter(([key]) => wanted.has(key))
  return { kind: 'map', entries: new Map(kept), origin: config.origin }
}
