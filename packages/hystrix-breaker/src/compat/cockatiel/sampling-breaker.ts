import { checkDuration, checkNumber, durationMax } from '../../option-checks.ts'
import { realClock } from '../../ports.ts'
import { TimeWindow } from '../../window/time-window.ts'
import type { IBreaker } from './breaker.ts'
import { CircuitState } from './circuit-state.ts'
import { checkThreshold, isAbove } from './count-breaker.ts'
import { isCount, isTime, savedField } from './saved-state.ts'

export interface ISamplingBreakerOptions {
  /** Failures by calls, above 0 and below 1; it opens above it. */
  threshold: number
  /** Milliseconds that are looked at. */
  duration: number
  /** Calls a second that there must be. Default: as many as make 5 failures a second. */
  minimumRps?: number
}

interface SavedWindow {
  readonly failures: number
  readonly successes: number
  /** Wall-clock milliseconds. */
  readonly startedAt: number
}

const fields = 3

/** Opens where more than a share of the calls of the last time failed. */
export class SamplingBreaker implements IBreaker {
  private readonly threshold: number
  private readonly minimumRpms: number
  private readonly duration: number
  private readonly windowSize: number
  readonly #count: number
  readonly #window: TimeWindow
  // Monotonic time of the latest call.
  #latest = -Infinity

  /** @throws InvalidOptionError naming the option. */
  constructor({ threshold, duration, minimumRps }: ISamplingBreakerOptions) {
    this.threshold = checkThreshold(threshold)
    const ms = checkDuration('duration', duration)
    this.#count = Math.max(5, Math.ceil(ms / 1000))
    this.windowSize = Math.max(1, Math.round(ms / this.#count))
    this.duration = this.windowSize * this.#count
    this.minimumRpms =
      (minimumRps ? checkNumber('minimumRps', minimumRps, 0, durationMax) : 5 / threshold) / 1000
    this.#window = new TimeWindow(this.duration, this.#count)
  }

  /** As of the latest call, and of cockatiel's shape: either one reads what the other has saved. */
  get state(): unknown {
    const { windows, currentWindow, currentFailures, currentSuccesses } = this
    return { windows, currentWindow, currentFailures, currentSuccesses }
  }

  /** Windows age by the wall clock. @throws ResilienceError `INVALID_SNAPSHOT`, and nothing has changed. */
  set state(saved: unknown) {
    const windows = savedField(saved, 'windows', 'a list of {failures, successes, startedAt}', isWindows)
    const toMonotonic = realClock.monotonic() - realClock.now()
    const filled = windows
      .filter(({ failures, successes }) => failures + successes > 0)
      .map((each) => ({ ...each, slice: Math.round((each.startedAt + toMonotonic) / this.windowSize) }))
    const now = Math.floor(realClock.monotonic() / this.windowSize)
    const newest = Math.min(now, Math.max(...filled.map(({ slice }) => slice)))
    const counts = Array.from({ length: this.#count * fields }, () => 0)
    for (const { slice, failures, successes } of filled) {
      const at = Math.max(0, newest - slice) * fields
      if (at >= counts.length) continue
      counts[at] = (counts[at] ?? 0) + failures + successes
      counts[at + 1] = (counts[at + 1] ?? 0) + failures
    }
    this.#window.clear()
    this.#latest = newest * this.windowSize
    if (filled.length > 0) this.#window.load(counts, this.#latest)
  }

  success(state: CircuitState): void {
    if (state === CircuitState.HalfOpen) this.#window.clear()
    this.#record(false)
  }

  failure(state: CircuitState): boolean {
    this.#record(true)
    return state !== CircuitState.Closed || this.#reached()
  }

  #record(failed: boolean): void {
    this.#latest = realClock.monotonic()
    this.#window.record(this.#latest, failed, false)
  }

  #reached(): boolean {
    const { total, failures } = this.#window.counts(this.#latest)
    return total >= this.duration * this.minimumRpms && isAbove(failures, total, this.threshold)
  }

  private get windows(): SavedWindow[] {
    const windows: SavedWindow[] = Array.from({ length: this.#count }, () => ({
      failures: 0,
      successes: 0,
      startedAt: 0,
    }))
    const saved = this.#window.save(this.#latest)
    const newest = Math.floor(this.#latest / this.windowSize)
    const toWall = realClock.now() - realClock.monotonic()
    for (let age = 0; age * fields < saved.length; age++) {
      const [total = 0, failures = 0] = saved.slice(age * fields)
      if (total === 0) continue
      const startedAt = Math.round((newest - age) * this.windowSize + toWall)
      windows[this.#place(newest - age)] = { failures, successes: total - failures, startedAt }
    }
    return windows
  }

  private get currentWindow(): number {
    return this.#latest === -Infinity ? 0 : this.#place(Math.floor(this.#latest / this.windowSize))
  }

  private get currentFailures(): number {
    return this.#window.counts(this.#latest).failures
  }

  private get currentSuccesses(): number {
    const { total, failures } = this.#window.counts(this.#latest)
    return total - failures
  }

  #place(slice: number): number {
    return ((slice % this.#count) + this.#count) % this.#count
  }
}

function isWindows(value: unknown): value is SavedWindow[] {
  return Array.isArray(value) && value.every(isWindow)
}

function isWindow(value: unknown): value is SavedWindow {
  if (typeof value !== 'object' || value === null) return false
  const read = (name: string): unknown => (Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined)
  return isCount(read('failures')) && isCount(read('successes')) && isTime(read('startedAt'))
}
