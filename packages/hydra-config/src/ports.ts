/** Gives a number from 0 up to, not including, 1, as Math.random does. */
export type Random = () => number

export const systemRandom: Random = () => Math.random()

/** Milliseconds since 1970. */
export type WallClock = () => number

export const systemWallClock: WallClock = () => Date.now()

/** Where time comes from. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  monotonic(): number
  /** Calls `callback` once after `delay` milliseconds. */
  setTimeout(callback: () => void, delay: number): unknown
  /** Forgets a timer; nothing happens where it has fired or was cleared. */
  clearTimeout(handle: unknown): void
}

/** Timers do not keep the process alive. */
export const realClock: Clock = {
  monotonic: () => performance.now(),
  setTimeout: (callback, delay) => {
    const handle: unknown = setTimeout(callback, delay)
    letGo(handle)
    return handle
  },
  clearTimeout: (handle) => {
    // What setTimeout gave: an object of Node, or a number elsewhere.
    if (typeof handle === 'number' || isTimer(handle)) clearTimeout(handle)
  },
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

/** The environment of the process; where there is no process, as in a browser, no variable is set. */
export function systemEnvironment(name: string): string | undefined {
  if (typeof process === 'undefined' || !Object.hasOwn(process.env, name)) return undefined
  return process.env[name]
}

/** A channel of `node:diagnostics_channel`. */
export interface Channel {
  readonly hasSubscribers: boolean
  publish(message: unknown): void
}

/** The channel of that name; undefined where there is no Node. Nothing is imported, so that bundles for browsers work. */
export function systemChannel(name: string): Channel | undefined {
  if (typeof process === 'undefined' || typeof process.getBuiltinModule !== 'function') return undefined
  return process.getBuiltinModule('diagnostics_channel').channel(name)
}
