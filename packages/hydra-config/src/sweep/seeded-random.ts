import { HydraConfigError } from '../errors.ts'
import type { Random } from '../ports.ts'

/**
 * A source of random numbers that gives the same ones for the same seed, on every machine: mulberry32 (Tommy Ettinger's
 * public-domain generator of 32 bits of state), good for an order, not for secrets.
 * @throws {HydraConfigError} `INVALID_OPTION`
 */
export function seededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) {
    throw new HydraConfigError('INVALID_OPTION', `seed must be an integer, received ${String(seed)}`)
  }
  let state = (seed ^ Math.trunc(seed / 2 ** 32)) | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
