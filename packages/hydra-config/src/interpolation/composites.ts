import { Place } from '../value/place.ts'
import type { Value } from '../value/value.ts'
import type { Collection, Combination } from './program.ts'

/**
 * Lists and dicts of arguments with maps and lists of the configuration in them: a resolver gets those resolved where they
 * stand in the configuration.
 */
export class Composites {
  readonly #parts = new WeakMap<Place, { readonly step: Collection; readonly operands: readonly Place[] }>()

  /** Remembers what a list or dict was made of. */
  add(made: Place, step: Combination, operands: readonly Place[]): void {
    if (step.op !== 'text' && operands.some((each) => each.isContainer || this.#parts.has(each))) {
      this.#parts.set(made, { step, operands })
    }
  }

  /** All that a place holds; undefined where `contentOf` says so of a part. How deep they are is bounded by the parser. */
  content(place: Place, contentOf: (place: Place) => Value | undefined): Value | undefined {
    const made = this.#parts.get(place)
    if (made === undefined) return contentOf(place)
    const operands: Place[] = []
    for (const operand of made.operands) {
      const value = this.content(operand, contentOf)
      if (value === undefined) return undefined
      operands.push(new Place(value, undefined, undefined, true))
    }
    return made.step.make(operands)
  }
}
