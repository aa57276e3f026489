/** Part of the other side's retention that is left alone, for clocks that differ and calls that take their time. */
const margin = 1 / 20

/**
 * Whether the other side still knows a key that it saw first at `firstAttemptAt`, so that calling again does no harm.
 * All in milliseconds of the store's clock.
 */
export function mayCallAgain(firstAttemptAt: number, retention: number, now: number): boolean {
  return now < firstAttemptAt + retention * (1 - margin)
}
