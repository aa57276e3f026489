import * as fc from 'fast-check'
import { HarnessError } from '../errors.ts'
import type { Random } from './ports.ts'

/** Random values that depend on the seed of the run alone. */
export interface SeededRandom extends Random {
  /** A whole number of [min, max], both included. */
  integer(min: number, max: number): number
  /** True with the given probability (default 0.5). */
  boolean(probability?: number): boolean
  /** One element, all equally likely. */
  pick<T>(items: readonly T[]): T
  /** The same elements in a new array, all orders equally likely. */
  shuffle<T>(items: readonly T[]): T[]
  /** A value of any fast-check arbitrary, for example `from(fc.string())`. */
  from<T>(arbitrary: fc.Arbitrary<T>): T
}

export function seededRandom(seed: number): SeededRandom {
  const generator = generatorOf(seed)
  const integer = (min: number, max: number): number => {
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || min > max) {
      throw new HarnessError(
        'BAD_OPTION',
        `random.integer(min, max) needs safe integers with min <= max, but got (${min}, ${max})`,
      )
    }
    return generator.nextInt(min, max)
  }
  // 26 and 27 bits make the 53 of a double.
  const next = (): number =>
    (generator.nextInt(0, 2 ** 26 - 1) * 2 ** 27 + generator.nextInt(0, 2 ** 27 - 1)) / 2 ** 53

  return {
    next,
    integer,
    boolean: (probability = 0.5) => {
      if (!(probability >= 0 && probability <= 1)) {
        throw new HarnessError(
          'BAD_OPTION',
          `random.boolean(probability) needs a number of [0, 1], but got ${String(probability)}`,
        )
      }
      return next() < probability
    },
    pick: (items) => {
      const item = items[items.length === 0 ? 0 : integer(0, items.length - 1)]
      if (item === undefined && items.length === 0) {
        throw new HarnessError(
          'BAD_OPTION',
          'random.pick(items) needs at least one item, but got an empty array',
        )
      }
      return item as (typeof items)[number]
    },
    shuffle: (items) => {
      const shuffled = [...items]
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = integer(0, last)
        const moved = shuffled[last] as (typeof items)[number]
        shuffled[last] = shuffled[other] as (typeof items)[number]
        shuffled[other] = moved
      }
      return shuffled
    },
    from: (arbitrary) => arbitrary.generate(generator, undefined).value,
  }
}

/** A stream of its own for each `salt`: drawing more from one leaves the others as they were. */
export function deriveSeed(seed: number, salt: number): number {
  // Finalizer of MurmurHash3: neighbouring seeds are to give unrelated streams.
  let hash = (seed ^ Math.imul(salt, 0x9e3779b9)) >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) | 0
}

/** fast-check hands its generator to arbitraries only, so this one keeps it. */
class GeneratorArbitrary extends fc.Arbitrary<fc.Random> {
  override generate(generator: fc.Random): fc.Value<fc.Random> {
    return new fc.Value(generator.clone(), undefined)
  }

  override canShrinkWithoutContext(_value: unknown): _value is fc.Random {
    return false
  }

  override shrink(): fc.Stream<fc.Value<fc.Random>> {
    return fc.Stream.nil()
  }
}

function generatorOf(seed: number): fc.Random {
  const [generator] = fc.sample(new GeneratorArbitrary(), { seed, numRuns: 1 })
  if (generator === undefined) throw new TypeError('fast-check gave no generator')
  return generator
}
