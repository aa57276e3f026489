import { HydraConfigError } from '../errors.ts'
import { shownEnds } from '../shown.ts'
import { type Place, placePath } from '../value/place.ts'

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

const resolutionClasses: ReadonlySet<string | undefined> = new Set<InterpolationErrorClass>([
  'InterpolationResolutionError',
  'InterpolationKeyError',
  'InterpolationToMissingValueError',
  'InterpolationValidationError',
  'UnsupportedInterpolationType',
])

/** Whether OmegaConf lets the error of one interpolation pass through those that lead to it as it is. */
export function isResolutionError(error: HydraConfigError): boolean {
  return resolutionClasses.has(error.class)
}

/** How many places of each end of a long cycle its error names. */
const endsMax = 6

/** The error of values that lead back to the first of them. */
export function cycleError(cycle: readonly Place[]): HydraConfigError {
  const named = shownEnds(cycle, endsMax, (place) => placePath(place) || 'the root')
  const [first] = cycle
  const way = [...named, named[0] ?? ''].map((name) => (name.length > 200 ? `${name.slice(0, 200)}…` : name))
  return new HydraConfigError('INTERPOLATION_CYCLE', `Recursive interpolation detected: ${way.join(' → ')}`, {
    class: 'InterpolationResolutionError',
    path: first && placePath(first),
    origin: first?.value.origin,
  })
}
