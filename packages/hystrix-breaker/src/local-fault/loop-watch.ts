import type { Clock } from '../ports.ts'
import type { LagObserver } from './loop-guard.ts'

/** Tells for how long the process stood still. */
export interface Stalls {
  /** Milliseconds of those from `start` to `now`. It must not throw, nor call the circuit. */
  between(start: number, now: number): number
}

interface Stall {
  readonly from: number
  readonly to: number
}

export interface LoopWatchOptions {
  readonly clock: Clock
  /** Milliseconds from beat to beat, that a beat may be late, and that answers have to be read in afterwards. */
  readonly tolerance: number
  /** Milliseconds after which a stall makes no difference any more to what has begun. */
  readonly horizon: number
  /** How much of what has begun goes on. */
  readonly pending: () => number
  readonly observer: LagObserver
}

// Of what spans more, the first ones are forgotten.
const stallsMax = 32

/**
 * Notices that the process stands still, while something goes on: a timer beats, and a beat that is too late shows it.
 * Nothing is known then of the time since the beat before, in which answers may have come that nobody could read.
 */
export class LoopWatch implements Stalls {
  readonly #options: LoopWatchOptions
  #stalls: Stall[] = []
  #timer: unknown
  #lastBeat = 0
  #lastBegun = 0

  constructor(options: LoopWatchOptions) {
    this.#options = options
  }

  /** Something has begun that is to be watched. */
  begin(now: number): void {
    this.#lastBegun = now
    if (this.#timer === undefined) this.#beat(now)
  }

  between(start: number, now: number): number {
    // What blocks a turn of the loop also delays what is read in the same turn, which comes before the timer.
    let still = this.#isLate(now) ? now - Math.max(start, this.#unknownSince) : 0
    for (const { from, to } of this.#stalls)
      if (to > start) still += Math.min(to, now) - Math.max(start, from)
    return still
  }

  end(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#stalls = []
  }

  get #unknownSince(): number {
    return Math.max(this.#lastBeat, this.#stalls.at(-1)?.to ?? 0)
  }

  #isLate(now: number): boolean {
    return this.#timer !== undefined && now - this.#lastBeat >= 2 * this.#options.tolerance
  }

  #beat(now: number): void {
    const { clock, tolerance } = this.#options
    this.#lastBeat = now
    this.#timer = clock.setTimeout(() => this.#fired(), tolerance)
  }

  #fired(): void {
    const { clock, tolerance, horizon, pending, observer } = this.#options
    const now = clock.monotonic()
    if (this.#isLate(now)) {
      const lag = now - this.#lastBeat - tolerance
      this.#stalls.push({ from: this.#unknownSince, to: now + tolerance })
      if (this.#stalls.length > stallsMax) this.#stalls.shift()
      observer.lagged(lag, pending(), now)
    }
    const watched = now - this.#lastBegun - this.between(this.#lastBegun, now)
    if (pending() > 0 && watched <= horizon) this.#beat(now)
    else this.end()
  }
}
