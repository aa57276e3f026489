/**
 * For tests of code that uses breakers: time that passes only when it is told to. `await clock.advance(end)` goes on up to
 * `end` milliseconds since the clock was made, from timer to timer, and lets promises settle after each.
 *
 * ```ts
 * const clock = new VirtualClock()
 * const users = new Breaker({ sleepWindow: '5s', clock })
 * await clock.advance(clock.now() + 5000)
 * ```
 */
export { VirtualClock } from './cli/virtual-clock.ts'
export type { Clock } from './ports.ts'
