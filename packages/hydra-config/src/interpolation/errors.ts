import { HydraConfigError } from '../errors.ts'

/** The classes of error that OmegaConf raises where an interpolation has no value. */
export type InterpolationErrorClass =
  | 'InterpolationResolutionError'
  | 'InterpolationKeyError'
  | 'InterpolationToMissingValueError'
  | 'InterpolationValidationError'
  | 'UnsupportedInterpolationType'
  | 'ConfigKeyError'
  | 'ConfigTypeError'
  | 'MissingMandatoryValue'

/** Makes the error `INTERPOLATION_PARSE` of class `GrammarParseError` at `offset` of the text. */
export function parseError(message: string, offset: number): HydraConfigError {
  return new HydraConfigError('INTERPOLATION_PARSE', `${message}, at position ${offset}`, {
    class: 'GrammarParseError',
    offset,
  })
}

/** Makes the error `INTERPOLATION_UNRESOLVED` of class `errorClass`. */
export function unresolved(errorClass: InterpolationErrorClass, message: string): HydraConfigError {
  return new HydraConfigError('INTERPOLATION_UNRESOLVED', message, { class: errorClass })
}
