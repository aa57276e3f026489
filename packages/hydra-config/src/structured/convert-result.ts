import { isHydraConfigError } from '../errors.ts'
import { unresolved } from '../interpolation/errors.ts'
import { Place } from '../value/place.ts'
import { typeText } from '../value/typing.ts'
import type { Scalar } from '../value/value.ts'
import { convert } from './convert.ts'

/**
 * What an interpolation leads to, as the type of the place that holds it has it. A union takes everything.
 * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED` of class `InterpolationValidationError`
 */
export function convertResult(node: Place, result: Place): Place {
  const { typing } = node.value
  if (typing === undefined) return result
  const { type, optional } = typing
  if (type.kind === 'list' || type.kind === 'dict' || type.kind === 'struct') return result
  if (type.kind === 'any' || type.kind === 'union') return result
  const { value } = result
  if (value.kind === 'scalar' && value.value === null) {
    if (optional) return result
    throw unresolved(
      'InterpolationValidationError',
      `the interpolation leads to null, which is no ${typeText(typing)}`,
    )
  }
  try {
    const converted = convert(type, value, '')
    const isSame =
      value.kind === 'scalar' && sameType(value.value, converted.value) && value.as === converted.as
    return isSame ? result : new Place(converted, node.parent, node.key, true)
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    throw unresolved('InterpolationValidationError', `what the interpolation leads to${error.message}`)
  }
}

function sameType(a: Scalar, b: Scalar): boolean {
  return typeof a === typeof b
}
