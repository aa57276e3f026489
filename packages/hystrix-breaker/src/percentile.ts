import { InvalidOptionError, shown } from './errors.ts'
import { checkNumber } from './option-checks.ts'

/**
 * The `percent`-th percentile of whole numbers, 0 where there are none: rank = percent / 100 * n, interpolated between
 * the values at its floor and its ceiling (counted from 0), truncated to a whole number; the last value from where the
 * ceiling is n. As HystrixRollingPercentile.PercentileSnapshot computes it; `sorted` is in ascending order.
 *
 * @throws InvalidOptionError where `sorted` is no list, or `percent` no number.
 */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  if (typeof sorted?.length !== 'number')
    throw new InvalidOptionError(`sorted must be a list of numbers, not ${shown(sorted)}`)
  checkNumber('percent', percent, -Infinity, Infinity)
  const last = sorted.length - 1
  if (last < 0) return 0
  const rank = (Math.max(0, percent) / 100) * sorted.length
  const low = Math.floor(rank)
  const high = Math.ceil(rank)
  if (high > last) return sorted[last] ?? 0
  const from = sorted[low] ?? 0
  return Math.trunc(from + (rank - low) * ((sorted[high] ?? 0) - from))
}
