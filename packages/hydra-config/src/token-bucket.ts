import { HydraConfigError } from './errors.ts'

/** Options of {@link tokenBucket}. */
export interface TokenBucketOptions {
  /** Tokens that the bucket holds when full: a finite number of at least 1. */
  readonly capacity: number
  /** Tokens that come back each second: a finite number above 0. */
  readonly refillPerSecond: number
}

/** A bucket of tokens, full at first. */
export interface TokenBucket {
  /** Takes one token at monotonic time `nowMs`; false where none is left. */
  take(nowMs: number): boolean
}

/**
 * An example of the house's style, to be replaced by the pattern: pure, with time given and never taken.
 * @throws {HydraConfigError} `INVALID_OPTION`
 */
export function tokenBucket({ capacity, refillPerSecond }: TokenBucketOptions): TokenBucket {
  if (!Number.isFinite(capacity) || capacity < 1) {
    throw new HydraConfigError(
      'INVALID_OPTION',
      `capacity is ${capacity}; give a finite number of at least 1`,
    )
  }
  if (!Number.isFinite(refillPerSecond) || refillPerSecond <= 0) {
    throw new HydraConfigError(
      'INVALID_OPTION',
      `refillPerSecond is ${refillPerSecond}; give a finite number above 0`,
    )
  }
  let tokens = capacity
  let lastMs = 0
  return {
    take(nowMs) {
      tokens = Math.min(capacity, tokens + ((nowMs - lastMs) / 1000) * refillPerSecond)
      lastMs = nowMs
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
  }
}
