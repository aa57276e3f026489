import { HydraConfigError } from '../errors.ts'
import type { ConfigFile, Value } from '../value/value.ts'
import { readBlockYaml } from './block-reader.ts'

/**
 * Reads a text of the plain kind: block mappings and sequences, scalars and flow collections of one line, comments.
 * @throws {HydraConfigError} `YAML_INVALID` for all else of YAML, and for what is no YAML
 */
export function readPlainYaml(text: string, file?: ConfigFile): Value {
  let line = 1
  const value = readBlockYaml(text, file, (at) => {
    line = at
  })
  if (value !== undefined) return value
  throw new HydraConfigError(
    'YAML_INVALID',
    'this is no YAML, or needs the reader of all of YAML: import wholeYaml and give it as a feature',
    { origin: file && { kind: 'file', ...file, line, column: 1 } },
  )
}
