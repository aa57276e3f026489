/** The calls of one interval. */
export interface Volume {
  succeeded: number
  total: number
}

/** Calls counted by interval: those of the last whole one are what rates are made of. */
export class IntervalVolume {
  #current: Volume = { succeeded: 0, total: 0 }
  #last: Volume = { succeeded: 0, total: 0 }

  add(succeeded: boolean): void {
    this.#current.total++
    if (succeeded) this.#current.succeeded++
  }

  /** Begins an interval. */
  turn(): void {
    this.#last = this.#current
    this.#current = { succeeded: 0, total: 0 }
  }

  /** Calls of the last interval. */
  get total(): number {
    return this.#last.total
  }

  /** Percent of them that succeeded, 0 for none. */
  get successRate(): number {
    return this.#last.total === 0 ? 0 : (this.#last.succeeded * 100) / this.#last.total
  }
}

/**
 * The success rate below which a backend is an outlier: the mean less `factor` standard deviations (of the population). Source:
 * envoyproxy/envoy, outlier_detection_impl.cc, `successRateEjectionThreshold`.
 */
export function successRateThreshold(rates: readonly number[], factor: number): number {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length
  return mean - factor * Math.sqrt(variance)
}
