import { checkDuration, type Duration, durationMax } from './option-checks.ts'

/** How long a circuit stays open the `attempt`-th time in a row, counted from 1, in milliseconds. */
export type OpenInterval = (attempt: number) => number

/** A duration, or a function whose answers are kept within 1 ms and 24 days. @throws InvalidOptionError */
export function readOpenInterval(name: string, value: Duration | OpenInterval): OpenInterval {
  if (typeof value !== 'function') {
    const ms = checkDuration(name, value)
    return () => ms
  }
  const first = checkDuration(`${name}(1)`, value(1))
  return (attempt) => {
    try {
      const ms = value(attempt)
      return ms >= 0 ? Math.min(Math.max(ms, 1), durationMax) : first
    } catch {
      // A circuit must open all the same.
      return first
    }
  }
}
