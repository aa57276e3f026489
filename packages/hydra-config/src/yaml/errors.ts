import { HydraConfigError } from '../errors.ts'

/** A place in a text: `index` in UTF-16 units, `line` and `column` from 0. */
export interface Mark {
  readonly index: number
  readonly line: number
  readonly column: number
}

/** The classes of error that PyYAML and OmegaConf raise for a text that is no configuration. */
type YamlErrorClass =
  | 'ReaderError'
  | 'ScannerError'
  | 'ParserError'
  | 'ComposerError'
  | 'ConstructorError'
  | 'KeyValidationError'
  | 'UnsupportedValueType'
  | 'RecursionError'
  | 'AssertionError'
  | 'OverflowError'
  | 'AttributeError'
  | 'IndexError'
  | 'KeyError'
  | 'ValueError'

/** Makes the error `YAML_INVALID` of class `errorClass` at `mark`. */
export function yamlError(errorClass: YamlErrorClass, message: string, mark?: Mark): HydraConfigError {
  if (mark === undefined) return new HydraConfigError('YAML_INVALID', message, { class: errorClass })
  return new HydraConfigError(
    'YAML_INVALID',
    `${message} (line ${mark.line + 1}, column ${mark.column + 1})`,
    { class: errorClass, offset: mark.index },
  )
}

/** The place of an index of a text whose lines nobody has counted. */
export function markAt(text: string, index: number): Mark {
  const lines = text.slice(text.startsWith('\uFEFF') ? 1 : 0, index).split(/\r\n|[\n\r\x85\u2028\u2029]/)
  return { index, line: lines.length - 1, column: lines.at(-1)?.length ?? 0 }
}
