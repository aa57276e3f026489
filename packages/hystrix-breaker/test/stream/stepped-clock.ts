import type { Clock } from '../../src/ports.ts'

/** Time that goes on when it is told to. */
export function steppedClock(): Clock & { advance(ms: number): void; pending(): number } {
  let now = 0
  const timers = new Map<object, { at: number; callback: () => void }>()
  return {
    now: () => now,
    monotonic: () => now,
    setTimeout(callback, delay) {
      const handle = {}
      timers.set(handle, { at: now + delay, callback })
      return handle
    },
    clearTimeout(handle) {
      timers.delete(handle as object)
    },
    advance(ms) {
      const end = now + ms
      while (true) {
        const [next] = [...timers].filter(([, { at }]) => at <= end).toSorted(([, a], [, b]) => a.at - b.at)
        if (next === undefined) break
        const [handle, { at, callback }] = next
        timers.delete(handle)
        now = at
        callback()
      }
      now = end
    },
    pending: () => timers.size,
  }
}
