import { isHydraConfigError } from '../errors.ts'
import type { Resolution } from '../interpolation/resolve.ts'
import { scalarEqual } from '../override/python-order.ts'
import { interpolationAt, Place } from '../value/place.ts'
import { type MapKey, type Scalar, scalar, type Value } from '../value/value.ts'

/**
 * Whether what stands at a place equals a value of the command line, as OmegaConf compares them: item by item, each
 * interpolation by what it leads to. One that leads nowhere is as good as null.
 */
export function equalsWanted(place: Place, wanted: Value, resolution: Resolution): boolean {
  const at = interpolationAt(place) === undefined ? place : ledTo(place, resolution)
  const { value } = at
  if (wanted.kind === 'scalar') return isScalar(place.value, wanted.value) || isScalar(value, wanted.value)
  const items = itemsOf(wanted)
  return (
    value.kind === wanted.kind &&
    items.length === itemsOf(value).length &&
    items.every(([key, item]) => {
      const child = at.child(key)
      return child !== undefined && equalsWanted(child, item, resolution)
    })
  )
}

function isScalar(value: Value, wanted: Scalar): boolean {
  return value.kind === 'scalar' && scalarEqual(value.value, wanted)
}

function itemsOf(value: Value): readonly (readonly [MapKey, Value])[] {
  if (value.kind === 'scalar') return []
  return value.kind === 'map' ? [...value.entries] : value.items.map((item, index) => [BigInt(index), item])
}

function ledTo(place: Place, resolution: Resolution): Place {
  try {
    return resolution.dereference(place)
  } catch (cause) {
    if (isHydraConfigError(cause) && cause.code !== 'INTERPOLATION_PENDING') return new Place(scalar(null))
    throw cause
  }
}
