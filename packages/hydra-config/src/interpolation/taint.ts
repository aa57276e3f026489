import { Place } from '../value/place.ts'
import { joinText, secret } from '../value/secret.ts'
import type { Value } from '../value/value.ts'
import { ensureDepth, unsettled } from './operands.ts'

/** Makes secret what comes of secrets. */
export class Taint {
  readonly #places = new Map<Place, Place>()

  /** The same place with its values secret; one and the same each time, so that a cycle through it is seen. */
  place(place: Place): Place {
    if (place === unsettled) return place
    const known = this.#places.get(place)
    if (known !== undefined) return known
    const made = new Place(this.value(place.value), place.parent, place.key, place.opaque)
    this.#places.set(place, made)
    return made
  }

  value(value: Value): Value {
    ensureDepth(value)
    return secret(value)
  }

  /** The texts and Python's `str()` of the values in a row. */
  text(parts: readonly (string | Value)[]): Value {
    return joinText(parts)
  }
}
