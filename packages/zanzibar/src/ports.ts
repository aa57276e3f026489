/** Where time comes from. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970-01-01 UTC; may be stepped. Expiry and timestamps are told by it. */
  now(): number
  /** Milliseconds since some fixed moment; never goes back. Waits are told by it. */
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

export const realRandom: Random = { bytes: (length) => cryptography().randomBytes(length) }

/** `node:crypto`, loaded when it is first needed: that takes a quarter as long as all else of the package. */
export function cryptography(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto')
}

/** Lets others have the event loop before it goes on. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

function isTimer(handle: unknown): handle is NodeJS.Timeout {
  return typeof handle === 'object' && handle !== null && 'unref' in handle
}
