/** What one finished call tells of the system: `rtt` in milliseconds, above 0; `inflight` calls when it began. */
export interface LimitSample {
  readonly rtt: number
  readonly inflight: number
  /** It was refused, or timed out. */
  readonly dropped: boolean
}

/** How many calls may be in flight, learnt from samples. */
export interface ConcurrencyLimit {
  /** Whole, at least 1. */
  readonly limit: number
  /** Takes a sample and gives the limit after it. @throws InvalidOptionError for an `rtt` that is not above 0. */
  sample(sample: LimitSample): number
}
