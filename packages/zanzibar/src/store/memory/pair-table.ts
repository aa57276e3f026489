import { Column } from './column.ts'
import { mix, Slots } from './slots.ts'

/** Pairs of u32 with an index each, in the order of their coming; the index of a pair is found in constant time. */
export class PairTable {
  /** The two of a pair beside each other: they are read together, and memory is far away. */
  readonly #pairs = new Column()
  readonly #slots = new Slots()
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed
  }

  get length(): number {
    return this.#pairs.length / 2
  }

  first(index: number): number {
    return this.#pairs.get(2 * index)
  }

  second(index: number): number {
    return this.#pairs.get(2 * index + 1)
  }

  /** -1 where the pair is not there. */
  find(first: number, second: number): number {
    const slots = this.#slots
    const hash = this.#hash(first, second)
    for (let slot = slots.first(hash); slot !== -1; slot = slots.next(slot, hash)) {
      const index = slots.index(slot)
      if (this.first(index) === first && this.second(index) === second) return index
    }
    return -1
  }

  intern(first: number, second: number): number {
    const found = this.find(first, second)
    return found === -1 ? this.add(first, second) : found
  }

  /** Takes in a pair that is not there. */
  add(first: number, second: number): number {
    const index = this.length
    this.#pairs.push(first)
    this.#pairs.push(second)
    this.#slots.add(index, this.#hash(first, second), (each) =>
      this.#hash(this.first(each), this.second(each)),
    )
    return index
  }

  /** Takes in a pair that is there: from now on the new index is found. The old one stays readable. */
  supersede(old: number): number {
    const first = this.first(old)
    const second = this.second(old)
    const hash = this.#hash(first, second)
    let slot = this.#slots.first(hash)
    while (slot !== -1 && this.#slots.index(slot) !== old) slot = this.#slots.next(slot, hash)
    const index = this.length
    this.#pairs.push(first)
    this.#pairs.push(second)
    this.#slots.replace(slot, index)
    return index
  }

  #hash(first: number, second: number): number {
    return mix(Math.imul(mix(first ^ this.#seed) + second, 0x9e3779b1))
  }
}
