import type { Prepared } from '@loadbearing/harness/bench'
import { tokenBucket } from '@loadbearing/hydra-config'

export function ours(): Prepared<number> {
  const bucket = tokenBucket({ capacity: Number.MAX_SAFE_INTEGER, refillPerSecond: 1 })
  return { call: () => bucket.take(0) }
}

/** The floor: the least that any bucket does. */
export function counter(): Prepared<number> {
  let tokens = Number.MAX_SAFE_INTEGER
  return {
    call: () => {
      tokens -= 1
      return tokens >= 0
    },
  }
}
