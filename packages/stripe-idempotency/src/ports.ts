import { randomBytes } from 'node:crypto'

/** Where time comes from. Deadlines of this process use `monotonic` alone; `now` is what a store in memory takes for its clock. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970-01-01 UTC; may be stepped. */
  now(): number
  /** Milliseconds since some fixed moment; never goes back. */
  monotonic(): number
  /** Calls `callback` once after `delay` milliseconds. */
  setTimeout(callback: () => void, delay: number): unknown
  /** Forgets a timer; nothing happens where it has fired or was cleared. */
  clearTimeout(handle: unknown): void
}

/** Where randomness comes from. */
export interface Random {
  /** So many bytes that nobody can guess. */
  bytes(length: number): Uint8Array
}

/** Timers do not keep the process alive. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay).unref(),
  clearTimeout: (handle) => {
    if (isTimer(handle)) clearTimeout(handle)
  },
}

const poolLength = 4096
let pool = randomBytes(0)

/** Short ones are cut from a pool: asking the operating system costs more than what is done with them. */
export const realRandom: Random = {
  bytes(length) {
    if (length > 64) return randomBytes(length)
    if (pool.length < length) pool = randomBytes(poolLength)
    const bytes = pool.subarray(0, length)
    pool = pool.subarray(length)
    return bytes
  },
}

function isTimer(handle: unknown): handle is NodeJS.Timeout {
  return typeof handle === 'object' && handle !== null && 'unref' in handle
}
