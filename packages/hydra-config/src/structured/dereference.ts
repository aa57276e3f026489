import { isHydraConfigError } from '../errors.ts'
import { isResolutionError } from '../interpolation/errors.ts'
import { Place } from '../value/place.ts'
import { type Draft, freeze, isInterpolation, keysTo, rootOf, thaw } from './draft.ts'

/**
 * A draft of what the interpolation of a draft leads to; the draft itself where there is none.
 * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`
 */
export function dereferenced(draft: Draft): Draft {
  if (!isInterpolation(draft)) return draft
  draft.options.copies?.letGo()
  let place: Place | undefined = new Place(freeze(rootOf(draft)))
  for (const key of keysTo(draft)) place = place?.child(key)
  if (place === undefined) throw new TypeError('a draft is not at its own place')
  return thaw(draft.options.resolution.dereference(place).value, draft.options)
}

/** As {@link dereferenced}; undefined where it cannot be resolved. */
export function maybeDereferenced(draft: Draft): Draft | undefined {
  try {
    return dereferenced(draft)
  } catch (error) {
    if (isHydraConfigError(error) && isResolutionError(error)) return undefined
    throw error
  }
}
