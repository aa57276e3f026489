export interface LagObserver {
  /** A timer was `lag` milliseconds late at monotonic `now`, with so many calls waiting. */
  lagged(lag: number, pending: number, now: number): void
}

/**
 * Tells a slow upstream from a process that stood still. A timer that fires later than `tolerance` shows that the event
 * loop was blocked (or the process stopped): answers that came meanwhile have not been read, so that a timeout says
 * nothing of the upstream. It looks at the lateness of the timers that are there anyway, and has none of its own.
 */
export class LoopGuard {
  /** Milliseconds that answers have to be read in, after the process stood still. */
  readonly grace: number
  readonly #tolerance: number
  readonly #observer: LagObserver

  constructor(tolerance: number, observer: LagObserver) {
    this.#tolerance = tolerance
    this.grace = tolerance
    this.#observer = observer
  }

  /** Whether a timer that is `late` milliseconds late shows that the process stood still. */
  stalled(late: number, pending: number, now: number): boolean {
    if (!this.isStall(late)) return false
    this.#observer.lagged(late, pending, now)
    return true
  }

  /** {@link LoopGuard.stalled}, and nobody is told. */
  isStall(late: number): boolean {
    return late >= this.#tolerance
  }
}
