/** How many backends of one priority there are, and in what state. */
export interface PriorityLevel {
  /** Those that are meant to take part: neither disabled nor draining. */
  readonly total: number
  readonly healthy: number
  /** Default 0. */
  readonly degraded?: number
}

/**
 * Whether fewer than `threshold` percent of a level are up (healthy or degraded), so that the health of its backends tells more
 * about the checks than about them, and all of them are to be used. An empty level is at 0 %; a threshold of 0 is never undercut.
 * Source: envoyproxy/envoy, panic_threshold.rst.
 */
export function inPanic({ total, healthy, degraded = 0 }: PriorityLevel, threshold: number): boolean {
  const up = total === 0 ? 0 : (100 * (healthy + degraded)) / total
  return up < threshold
}
