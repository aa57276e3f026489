import { type Clock, keepAlive, realClock } from '../../ports.ts'

export const clock: Clock = realClock

export type Cancel = () => void

/** Keeps the process alive, as the call that it limits would. */
export function limit(ms: number, callback: () => void): Cancel {
  const timer = clock.setTimeout(callback, ms)
  keepAlive(timer)
  return () => clock.clearTimeout(timer)
}

/** Calls back at the monotonic time `at` or a little later. Keeps nothing alive. */
export function wakeAt(at: number, callback: () => void): Cancel {
  let timer: unknown
  const arm = (): void => {
    const left = at - clock.monotonic()
    // A timer of Node may be early by a fraction of a millisecond.
    if (left > 0) timer = clock.setTimeout(arm, Math.ceil(left))
    else callback()
  }
  timer = clock.setTimeout(arm, Math.max(1, Math.ceil(at - clock.monotonic())))
  return () => clock.clearTimeout(timer)
}

/** Keeps nothing alive. */
export function every(ms: number, callback: () => void): Cancel {
  const arm = (): unknown =>
    clock.setTimeout(() => {
      timer = arm()
      callback()
    }, ms)
  let timer = arm()
  return () => clock.clearTimeout(timer)
}
