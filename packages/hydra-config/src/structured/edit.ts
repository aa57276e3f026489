import type { ResolveOptions } from '../interpolation/options.ts'
import { Resolution } from '../interpolation/resolve.ts'
import { withWholeResolution } from '../interpolation/whole.ts'
import type { FlagChange, UpdateMode } from '../value/typing.ts'
import type { Value } from '../value/value.ts'
import { typeRules } from './type-rules.ts'

/** Options of {@link update}. */
export interface UpdateOptions extends ResolveOptions, UpdateMode {}

/**
 * The configuration with a value at a path such as `db.ports[0]`, as `OmegaConf.update` has it: what is not there on
 * the way, or is a scalar, becomes a map. Types and flags hold; `config` itself does not change.
 * @throws {HydraConfigError} `READONLY`, `UNKNOWN_PATH`, `CONFIG_INVALID`, `MERGE`, each of OmegaConf's class
 */
export function update(config: Value, path: string, value: Value, options: UpdateOptions = {}): Value {
  const resolution = new Resolution(withWholeResolution(options))
  return typeRules.update(config, path, value, { ...options, resolution })
}

/**
 * The configuration with flags set at a path, '' for the root, as `OmegaConf.set_struct` and `set_readonly` set them:
 * they hold for all that is there, unless it has its own. `undefined` takes a flag away, so that the one above holds.
 * @throws {HydraConfigError} `UNKNOWN_PATH`
 */
export function withFlagsAt(config: Value, path: string, flags: FlagChange): Value {
  return typeRules.withFlags(config, path, flags)
}
