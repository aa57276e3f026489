/** What delays of at least so many minutes earn, on flights longer than so many kilometres. */
interface Rule {
  /** Minutes. */
  readonly delay: number
  /** Kilometres of great circle; 0 for flights of any length. */
  readonly beyond: number
  /** In the policy's currency. */
  readonly amount: number
}

/** Which delays earn what. */
export interface Policy {
  readonly name: string
  /** As it is printed: `euros`. */
  readonly currency: string
  /** As banks call it, by ISO 4217, in lower case: `eur`. */
  readonly iso: string
  /** The higher award before the lower one. */
  readonly rules: readonly Rule[]
}

/** Minutes below which no claim earns anything. */
export function leastDelay({ rules }: Policy): number {
  return Math.min(...rules.map(({ delay }) => delay))
}

/**
 * What a claim earns: the first rule that applies.
 *
 * @param delay minutes; negative is early
 * @param distance called for the great-circle distance in km, once and only where the award depends on it
 */
export function award({ rules }: Policy, delay: number, distance: () => number): number {
  let km: number | undefined
  for (const { delay: least, beyond, amount } of rules) {
    if (delay < least) continue
    if (beyond === 0) return amount
    km ??= distance()
    if (km > beyond) return amount
  }
  return 0
}
