import { type GeneratorValue, integer } from 'fast-check'

/** Draws from a generator of fast-check, so that a failure shrinks and can be replayed. */
export class Draw {
  readonly #generator: GeneratorValue

  constructor(generator: GeneratorValue) {
    this.#generator = generator
  }

  /** From 0 up to, not including, `limit`. */
  below(limit: number): number {
    return limit <= 1 ? 0 : this.#generator(integer, { min: 0, max: limit - 1 })
  }

  /** Once in `times`. */
  once(times: number): boolean {
    return this.below(times) === times - 1
  }

  one<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0]
  }

  some<T>(choices: readonly T[], least: number): T[] {
    const left = [...choices]
    const count = least + this.below(left.length - least + 1)
    return Array.from({ length: count }, () => left.splice(this.below(left.length), 1)).flat()
  }
}
