import type { CircuitSettings, RateOperator } from './settings.ts'
import type { Counts } from './window/window.ts'

/** Which threshold was reached. */
export type Threshold = 'failure-rate' | 'slow-rate'

/**
 * The first threshold that `counts` reach, undefined below them or below `volume`. The slow rate opens where it is
 * reached (`>=`) in every preset.
 */
export function reached(
  { errorThreshold, operator, slow }: CircuitSettings,
  counts: Counts,
  volume: number,
): Threshold | undefined {
  const { total, failures } = counts
  if (failures === 0 && counts.slow === 0 && errorThreshold > 0) return undefined
  if (total === 0 || total < volume) return undefined
  if (compare(failures, total, errorThreshold, operator)) return 'failure-rate'
  if (slow === undefined) return undefined
  return compare(counts.slow, total, slow.rate, operator === 'float>=' ? operator : '>=')
    ? 'slow-rate'
    : undefined
}

// A quotient is rounded as a decimal literal is: 7 of 100 is 0.07, which 100 * 0.07 is not.
function compare(part: number, total: number, threshold: number, operator: RateOperator): boolean {
  if (operator === '>') return part / total > threshold
  if (operator === '>=') return part / total >= threshold
  // 29 of 50 are 57 %, in Java's arithmetic as here.
  if (operator === 'percent>=') return Math.trunc((part / total) * 100) >= Math.round(threshold * 100)
  return Math.fround((part * 100) / total) >= Math.fround(threshold * 100)
}
