import { randomInt } from 'node:crypto'

/** What sliced building needs from outside. */
export interface Scheduler {
  /** Monotonic time in milliseconds. */
  now(): number
  /** Runs `task` soon, after other work of the event loop. */
  defer(task: () => void): void
}

export const realScheduler: Scheduler = {
  now: () => performance.now(),
  defer: (task) => {
    setImmediate(task)
  },
}

/** Where a pool takes time from. Durations are measured by `monotonic`; `now` is for people. */
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

/** Where a pool takes randomness from. */
export interface Random {
  /** A number of [0, 1). */
  next(): number
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

/** Unpredictable, since it also keys the table of flows. */
export const realRandom: Random = { next: () => randomInt(2 ** 48 - 1) / 2 ** 48 }

function isTimer(handle: unknown): handle is NodeJS.Timeout {
  return typeof handle === 'object' && handle !== null && 'unref' in handle
}
