import { isMissing, type Place, placePath } from '../value/place.ts'
import { unresolved } from './errors.ts'
import type { Walk } from './frame.ts'
import type { KeyPath } from './split-key.ts'

/** Where a path starts; undefined above the root. */
export function startOf({ above }: KeyPath, from: Place): Place | undefined {
  if (above === undefined) return from.root
  let start: Place | undefined = from
  for (let level = 0; level < above && start !== undefined; level++) start = start.parent
  return start
}

/** The place one key further; undefined where there is none. */
export function nextPlace({ at, path, index, throwOnMissing, receive }: Walk): Place | undefined {
  const key = path.keys[index] ?? ''
  const place = at.child(at.value.kind === 'list' ? indexOf(key) : key)
  if (place !== undefined && throwOnMissing && isMissing(place)) {
    const told = `Missing mandatory value: ${placePath(place)}`
    if (receive !== undefined) throw unresolved('MissingMandatoryValue', told)
    throw unresolved(
      'InterpolationToMissingValueError',
      `MissingMandatoryValue while resolving interpolation: ${told}`,
    )
  }
  return place
}

function indexOf(key: string): bigint {
  const digits = key.trim()
  if (/^[+-]?[0-9]+(?:_[0-9]+)*$/.test(digits) && digits.length <= 4300)
    return BigInt(digits.replace(/[_+]/g, ''))
  const error = unresolved('ConfigTypeError', `Index '${key}' (str) is not an int`)
  error.cause = new TypeError(error.message)
  throw error
}
