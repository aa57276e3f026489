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
