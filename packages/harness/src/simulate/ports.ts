/**
 * The narrow shape through which a package takes time. Wall and monotonic time are separate members: decisions
 * about durations use `monotonic`, `now` is for dates that people or other machines read.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970-01-01 UTC; may be stepped forwards and backwards. */
  now(): number
  /** Milliseconds since some fixed moment; never goes back, whatever the wall clock does. */
  monotonic(): number
  /** Calls `callback` once after `delay` milliseconds; answers a handle for `clearTimeout` alone. */
  setTimeout(callback: () => void, delay: number): unknown
  /** Forgets a timer; does nothing when it has fired, was cleared, or `handle` is undefined. */
  clearTimeout(handle: unknown): void
}

/** The narrow shape through which a package takes randomness. */
export interface Random {
  /** A number of [0, 1). */
  next(): number
}
