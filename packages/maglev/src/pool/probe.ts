import type { ConfiguredBackend } from '../backend.ts'
import { durationMax } from '../duration.ts'
import { MaglevError } from '../errors.ts'
import type { Clock, Random } from '../ports.ts'
import type { Thresholds, Verdict } from './health.ts'

/**
 * Asks one backend how it is; a rejection is a failure. It must settle soon after `signal` is aborted, which happens at the
 * timeout and when the pool is closed, and leave nothing open then.
 */
export type Prober<T = unknown> = (
  backend: ConfiguredBackend<T>,
  signal: AbortSignal,
) => Promise<'healthy' | 'degraded'>

/** Active checks with their defaults filled in; times in ms. */
export interface CheckSettings<T> {
  prober(backend: ConfiguredBackend<T>, signal: AbortSignal): Promise<'healthy' | 'degraded'>
  readonly interval: number
  readonly jitter: number
  readonly timeout: number
  readonly thresholds: Thresholds
}

/** How one probe went. */
export interface ProbeOutcome {
  readonly id: string
  readonly result: Verdict
  /** How long it took. */
  readonly ms: number
  /** Why it failed. */
  readonly error?: unknown
}

interface Watch<T> {
  readonly backend: ConfiguredBackend<T>
  timer: unknown
  /** Ends the probe under way. */
  abort: ((reason: unknown) => void) | undefined
  /** The prober's promise, until it settles. */
  probe: Promise<void> | undefined
}

/**
 * Probes every watched backend, the first time at once, then every `interval` and up to `jitter` more from start to start. A
 * backend never has two probes at a time: where a prober ignores its signal, each turn that finds it running is a failure.
 */
export class ActiveChecks<T> {
  readonly #settings: CheckSettings<T>
  readonly #clock: Clock
  readonly #random: Random
  readonly #report: (outcome: ProbeOutcome) => void
  readonly #watches = new Map<string, Watch<T>>()
  readonly #unsettled = new Set<Promise<void>>()

  constructor(
    settings: CheckSettings<T>,
    ports: { readonly clock: Clock; readonly random: Random },
    report: (outcome: ProbeOutcome) => void,
  ) {
    this.#settings = settings
    this.#clock = ports.clock
    this.#random = ports.random
    this.#report = report
  }

  watch(backend: ConfiguredBackend<T>): void {
    const watch: Watch<T> = { backend, timer: undefined, abort: undefined, probe: undefined }
    this.#watches.set(backend.id, watch)
    this.#turn(watch)
  }

  unwatch(id: string): void {
    const watch = this.#watches.get(id)
    if (watch === undefined) return
    this.#watches.delete(id)
    this.#clock.clearTimeout(watch.timer)
    watch.abort?.(new MaglevError('POOL_CLOSED', 'The backend is watched no more'))
  }

  /** Aborts what is under way and waits for it, at most as long as a probe may take. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.#watches.keys()) this.unwatch(id)
    if (this.#unsettled.size === 0) return
    const limit = Promise.withResolvers<void>()
    const timer = this.#clock.setTimeout(() => limit.resolve(), this.#settings.timeout)
    await Promise.race([Promise.all(this.#unsettled), limit.promise])
    this.#clock.clearTimeout(timer)
  }

  #turn(watch: Watch<T>): void {
    const { interval, jitter } = this.#settings
    const begin = this.#clock.monotonic()
    const due = begin + interval + jitter * this.#random.next()
    const done = (result: Verdict, error?: unknown): void => {
      if (this.#watches.get(watch.backend.id) !== watch) return
      const now = this.#clock.monotonic()
      const delay = Math.min(Math.max(due - now, 1), durationMax)
      watch.timer = this.#clock.setTimeout(() => this.#turn(watch), delay)
      const outcome = { id: watch.backend.id, result, ms: now - begin }
      this.#report(error === undefined ? outcome : { ...outcome, error })
    }
    if (watch.probe === undefined) this.#probe(watch, done)
    else done('unhealthy', new MaglevError('PROBE_FAILED', 'The probe before this one has not ended'))
  }

  /** Runs one probe; `done` hears of its result or of its timeout, whichever is first. */
  #probe(watch: Watch<T>, done: (result: Verdict, error?: unknown) => void): void {
    const { timeout } = this.#settings
    const controller = new AbortController()
    let decided = false
    const decide = (result: Verdict, error?: unknown): void => {
      if (decided) return
      decided = true
      this.#clock.clearTimeout(timer)
      watch.abort = undefined
      done(result, error)
    }
    watch.abort = (reason) => {
      decide('unhealthy', reason)
      controller.abort(reason)
    }
    const expire = (): void => {
      watch.abort?.(new MaglevError('PROBE_FAILED', `No answer within ${timeout} ms`))
    }
    const begin = this.#clock.monotonic()
    let timer = this.#clock.setTimeout(() => {
      // This process stood still, which says nothing of the backend: what came in meanwhile is yet to be read.
      if (this.#clock.monotonic() - begin > timeout + stallMs) timer = this.#clock.setTimeout(expire, timeout)
      else expire()
    }, timeout)
    const probe = run(this.#settings, watch.backend, controller.signal)
      .then(
        (result) => decide(result),
        (error: unknown) =>
          decide('unhealthy', error ?? new MaglevError('PROBE_FAILED', 'The prober gave no reason')),
      )
      .finally(() => {
        this.#unsettled.delete(probe)
        if (watch.probe === probe) watch.probe = undefined
      })
    watch.probe = probe
    this.#unsettled.add(probe)
  }
}

/** A timer that is later than this is late for all backends. */
const stallMs = 250

/** A prober that throws where it should reject is a failure like any other. */
async function run<T>(
  settings: CheckSettings<T>,
  backend: ConfiguredBackend<T>,
  signal: AbortSignal,
): Promise<'healthy' | 'degraded'> {
  const result: unknown = await settings.prober(backend, signal)
  if (result === 'healthy' || result === 'degraded') return result
  throw new MaglevError('PROBE_FAILED', `A prober answers healthy or degraded, not ${String(result)}`)
}
