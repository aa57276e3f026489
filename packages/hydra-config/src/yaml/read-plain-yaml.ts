import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import type { ConfigFile, Value } from '../value/value.ts'
import { readBlockYaml, unusual } from './block-reader.ts'
import type { CheckInterpolation } from './line-reader.ts'

/**
 * Reads a text of the plain kind: block mappings and sequences, scalars and flow collections of one line, comments.
 * @throws {HydraConfigError} `YAML_INVALID` for all else of YAML, and for what is no YAML; what `check` throws
 */
export function readPlainYaml(text: string, file?: ConfigFile, check?: CheckInterpolation): Value {
  const stopped = (error: unknown, lineStart: number): never => {
    if (isHydraConfigError(error)) throw error
    const at = text.search(unusual)
    const code = text.codePointAt(at)?.toString(16).toUpperCase().padStart(4, '0')
    const before = text.slice(0, code ? at : lineStart).split('\n')
    throw new HydraConfigError(
      'YAML_INVALID',
      `${code ? `U+${code}` : 'the line'} is no plain YAML: correct it or give the feature wholeYaml`,
      {
        origin: file && { kind: 'file', ...file, line: before.length, column: `${before.at(-1)}`.length + 1 },
      },
    )
  }
  return readBlockYaml(text, { file, check, stopped }) ?? stopped(undefined, 0)
}
