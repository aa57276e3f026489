import { type Random, systemRandom } from '../ports.ts'
import type { Semantics } from '../semantics.ts'
import { type OverrideCalls, overrideOf } from './evaluate.ts'
import { callsBy } from './function-calls.ts'
import { callFunction } from './functions.ts'
import { isListFunction, listFunction } from './list-functions.ts'
import type { Override } from './override.ts'

/** Options of {@link parseOverride}. */
export interface ParseOverrideOptions {
  /** Order of `shuffle([…])` over a list, which is shuffled as it is parsed. Default: Math.random. */
  readonly random?: Random
  /** `strict` knows functions that edit lists: `key=append(a)`. Default: `hydra-1.3`. */
  readonly semantics?: Semantics
}

/**
 * Parses one override of a command line, such as `db=mysql`, `+db.port=3306`, `~db` or `lr=choice(1e-3,1e-4)`, as
 * Hydra 1.3 does.
 *
 * @throws {HydraConfigError} `OVERRIDE_PARSE`
 */
export function parseOverride(text: string, options: ParseOverrideOptions = {}): Override {
  return overrideOf(text, callsOf(options))
}

/** All functions of the grammar. */
export function callsOf({
  random = systemRandom,
  semantics = 'hydra-1.3',
}: ParseOverrideOptions = {}): OverrideCalls {
  return callsBy(
    (name, positional, named) => callFunction(name, { positional, named, random }),
    semantics === 'strict' ? (name) => (isListFunction(name) ? listFunction : undefined) : undefined,
  )
}
