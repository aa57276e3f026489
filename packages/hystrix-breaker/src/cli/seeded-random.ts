import { createHash } from 'node:crypto'
import type { Random } from '../ports.ts'

/** The same numbers for the same seed and name: mulberry32 (Tommy Ettinger, 2017). */
export function seededRandom(seed: number, name: string): Random {
  let state = createHash('sha256').update(`${seed}\0${name}`).digest().readUInt32LE()
  return {
    next() {
      state = (state + 0x6d2b79f5) | 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
  }
}
