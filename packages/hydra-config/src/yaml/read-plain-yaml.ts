import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import type { ConfigFile, Value } from '../value/value.ts'
import { readBlockYaml } from './block-reader.ts'
import type { CheckInterpolation } from './line-reader.ts'

/**
 * Reads a text of the plain kind: block mappings and sequences, scalars and flow collections of one line, comments.
 * @throws {HydraConfigError} `YAML_INVALID` for all else of YAML, and for what is no YAML; what `check` throws
 */
export function readPlainYaml(text: string, file?: ConfigFile, check?: CheckInterpolation): Value {
  const stopped = (error: unknown, line: number): never => {
    if (isHydraConfigError(error)) throw error
    throw new HydraConfigError(
      'YAML_INVALID',
      'this is no YAML, or needs the reader of all of YAML: import wholeYaml and give it as a feature',
      { origin: file && { kind: 'file', ...file, line, column: 1 } },
    )
  }
  return readBlockYaml(text, { file, check, stopped }) ?? stopped(undefined, 1)
}
