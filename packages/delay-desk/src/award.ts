/** Minutes below which no claim earns anything. */
export const leastDelay = 60

/**
 * What a claim earns, in euros: the highest rule that applies.
 *
 * A delay of at least 180 minutes earns 250, 400 or 600 by great-circle distance (up to 1,500 km, up to 3,500 km,
 * beyond), one of at least 120 minutes a voucher of 30, one of at least 60 minutes a voucher of 15, any other nothing.
 *
 * @param delay minutes; negative is early
 * @param distance called for the great-circle distance in km, and only where the award depends on it
 */
export function award(delay: number, distance: () => number): number {
  if (delay >= 180) {
    const km = distance()
    if (km <= 1500) return 250
    if (km <= 3500) return 400
    return 600
  }
  if (delay >= 120) return 30
  if (delay >= leastDelay) return 15
  return 0
}
