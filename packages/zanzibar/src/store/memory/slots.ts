import { ZanzibarError } from '../../errors.ts'

const indexBits = 27
const indexMask = 2 ** indexBits - 1

/**
 * An open-addressed hash table of indexes into something that keeps the keys itself: four bytes a slot, linear probing,
 * at most four fifths full. A slot also has five bits of the hash: most keys that are not the one are never read.
 * Hashes are u32 and well mixed: see {@link mix}.
 */
export class Slots {
  /** An index and one more, below five bits of its hash; 0 is free. */
  #slots = new Uint32Array(16)
  #used = 0

  /** The first slot that may be of a hash; -1 where there is none. */
  first(hash: number): number {
    return this.#candidate(this.#start(hash), hash)
  }

  /** The next one after that. */
  next(slot: number, hash: number): number {
    return this.#candidate(slot + 1 === this.#slots.length ? 0 : slot + 1, hash)
  }

  index(slot: number): number {
    return ((this.#slots[slot] ?? 0) & indexMask) - 1
  }

  /** Puts another index into a slot, of the same hash. */
  replace(slot: number, index: number): void {
    this.#slots[slot] = ((this.#slots[slot] ?? 0) & ~indexMask) | (index + 1)
  }

  /**
   * Takes in an index; `hashOf` is asked for those that are there when the table grows.
   *
   * @throws ZanzibarError `exceeded_entity_limit` beyond 134 million
   */
  add(index: number, hash: number, hashOf: (index: number) => number): void {
    if (index + 1 > indexMask) {
      throw new ZanzibarError(
        'exceeded_entity_limit',
        `a store in memory holds ${indexMask} names and versions of tuples at most; use one of SQLite or PostgreSQL`,
      )
    }
    if ((this.#used + 1) * 5 > this.#slots.length * 4) {
      const old = this.#slots
      this.#slots = new Uint32Array(Math.ceil(old.length * 1.2))
      for (const entry of old) {
        if (entry !== 0) this.#put(entry, hashOf((entry & indexMask) - 1))
      }
    }
    this.#put((index + 1) | (hash << indexBits), hash)
    this.#used++
  }

  #start(hash: number): number {
    return Math.floor(((hash >>> 0) / 0x1_0000_0000) * this.#slots.length)
  }

  #candidate(from: number, hash: number): number {
    const slots = this.#slots
    const tag = hash << indexBits
    for (let slot = from; ; slot = slot + 1 === slots.length ? 0 : slot + 1) {
      const entry = slots[slot] ?? 0
      if (entry === 0) return -1
      if ((entry & ~indexMask) === tag) return slot
    }
  }

  #put(entry: number, hash: number): void {
    let slot = this.#start(hash)
    while (this.#slots[slot] !== 0) slot = slot + 1 === this.#slots.length ? 0 : slot + 1
    this.#slots[slot] = entry
  }
}

/** Spreads every bit of a u32 over all of them (the finalizer of MurmurHash3). */
export function mix(hash: number): number {
  let mixed = hash
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
