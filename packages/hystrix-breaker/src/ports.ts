import { randomUUID } from 'node:crypto'
import { performance as ownPerformance } from 'node:perf_hooks'

/** Where time comes from. Decisions use `monotonic` alone; `now` dates snapshots. */
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
  /** A number of [0, 1). */
  next(): number
}

// The clock of performance.now(), without the checks of its receiver that cost half of what the clock itself does. Test
// libraries that replace performance replace setTimeout as well: by that they are known, and their time is taken.
const sinceStart = ownPerformance.nodeTiming
const ownSetTimeout = setTimeout

/** Timers do not keep the process alive. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => (setTimeout === ownSetTimeout ? sinceStart.duration : performance.now()),
  setTimeout: (callback, delay) => setTimeout(callback, delay).unref(),
  clearTimeout: (handle) => {
    if (isTimer(handle)) clearTimeout(handle)
  },
}

export const realRandom: Random = { next: () => Math.random() }

/** A name that nothing else has. */
export function uniqueName(): string {
  return randomUUID()
}

/** Keeps the process alive until the timer has fired: for what a caller waits for, and nothing else would keep going. */
export function keepAlive(handle: unknown): void {
  if (isTimer(handle)) handle.ref()
}

/** Lets the process end though the timer has not fired. */
export function letGo(handle: unknown): void {
  if (isTimer(handle)) handle.unref()
}

function isTimer(handle: unknown): handle is NodeJS.Timeout {
  return typeof handle === 'object' && handle !== null && 'unref' in handle
}
