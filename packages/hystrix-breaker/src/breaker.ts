import { BreakerEmitter } from './breaker-emitter.ts'
import { type BreakerOptions, type BreakerSettings, breakerSettings } from './breaker-options.ts'
import type { Call, ExecuteOptions, InnerWork, Sink, Work } from './call.ts'
import { CallRunner } from './call-runner.ts'
import { Circuit } from './circuit.ts'
import { InvalidOptionError, shown } from './errors.ts'
import type { BreakerEvents, ExecutionEvent } from './events.ts'
import { HalfOpenTimer } from './half-open-timer.ts'
import { LoopWatch } from './local-fault/loop-watch.ts'
import type { BreakerMetrics } from './metrics/breaker-metrics.ts'
import { type CallEvent, placeOf } from './metrics/call-event.ts'
import { CallMetrics } from './metrics/call-metrics.ts'
import type { ForcedState, State } from './settings.ts'
import { type CircuitSnapshot, readTakenAt } from './snapshot.ts'
import type { Counts } from './window/window.ts'

/** A snapshot with the wall-clock time that it was taken at. */
export interface BreakerSnapshot extends CircuitSnapshot {
  readonly takenAt: number
}

/** A call that was made. */
export interface Execution<T> {
  readonly answer: Promise<T>
  /** What has happened so far, in its order, as Hystrix's getExecutionEvents. */
  readonly events: readonly CallEvent[]
}

const noOptions: ExecuteOptions<never> = {}

/** A circuit with what a call needs around it: a time limit, a bulkhead, a fallback, an abort signal of its own. */
export class Breaker implements AsyncDisposable {
  readonly name: string
  readonly #settings: BreakerSettings
  readonly #circuit: Circuit
  readonly #emitter: BreakerEmitter
  readonly #metrics: CallMetrics
  readonly #calls: CallRunner
  readonly #halfOpenTimer: HalfOpenTimer | undefined

  /** @throws InvalidOptionError naming the option. */
  constructor(
    options: BreakerOptions = {},
    { requestCache = false }: { readonly requestCache?: boolean } = {},
  ) {
    const settings = breakerSettings(options, requestCache)
    const { name } = settings
    this.name = name
    this.#settings = settings
    this.#emitter = new BreakerEmitter(name)
    this.#metrics = new CallMetrics(settings)
    const watch = watchOf(settings, this.#metrics, this.#emitter)
    this.#circuit = new Circuit(settings.circuit, this.#emitter, watch)
    this.#calls = new CallRunner({
      settings,
      circuit: this.#circuit,
      metrics: this.#metrics,
      emitter: this.#emitter,
      watch,
    })
    if (settings.circuit.autoHalfOpen) {
      const timer = new HalfOpenTimer(this.#circuit, settings.clock)
      this.#halfOpenTimer = timer
      this.#emitter.on('stateChange', () => timer.arm())
    }
  }

  /** What it is shown with. */
  get group(): string {
    return this.#settings.group
  }

  /** The options, checked, with their defaults. */
  get settings(): BreakerSettings {
    return this.#settings
  }

  /** @internal For what joins it with those of other processes. */
  get circuit(): Circuit {
    return this.#circuit
  }

  get state(): State {
    return this.#circuit.state(this.#now())
  }

  /** What the window holds. */
  get counts(): Counts {
    return this.#circuit.counts(this.#now())
  }

  get metrics(): BreakerMetrics {
    return this.#metrics
  }

  /** Calls whose work is going on, and calls that wait for a place. */
  get calls(): { readonly running: number; readonly queued: number } {
    return { running: this.#metrics.running, queued: this.#metrics.queued }
  }

  /**
   * Calls `listener` for each event; the function that comes back ends it.
   *
   * @throws InvalidOptionError where there is no such event, or the listener is no function.
   */
  on<Name extends keyof BreakerEvents>(
    name: Name,
    listener: (event: BreakerEvents[Name]) => void,
  ): () => void {
    return this.#emitter.on(name, listener)
  }

  /**
   * Runs `work` where bulkhead and circuit let it. What it returns or throws goes to the caller as it is.
   *
   * @throws ResilienceError `CIRCUIT_OPEN` (with `retryAfter`), `BULKHEAD_FULL`, `TIMEOUT`, `FALLBACK_FAILED` or
   * `DISPOSED`; the reason of `signal`, where it is aborted first. The promise is rejected with it.
   */
  execute<T>(work: Work<T>, options: ExecuteOptions<T> = noOptions): Promise<T> {
    const fault = faultOf(work, options)
    return fault === undefined ? this.#calls.execute(work, options) : Promise.reject(fault)
  }

  /** {@link Breaker.execute}, with what happened. */
  start<T>(work: Work<T>, options: ExecuteOptions<T> = noOptions): Execution<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const fault = faultOf(work, options)
    if (fault !== undefined) return { answer: Promise.reject(fault), events: [] }
    const call = this.begin(work, { succeed: resolve, fail: reject }, options)
    return {
      answer: promise,
      get events() {
        return call.events
      },
    }
  }

  /** @internal {@link Breaker.execute}, whose answer goes to `sink`, at once or later. */
  begin<T>(work: Work<T> | InnerWork<T>, sink: Sink<T>, options: ExecuteOptions<T> = noOptions): Call<T> {
    return this.#calls.begin(work, sink, options)
  }

  /** @internal A call had the answer of another one, whose events these are. */
  answeredFromCache(ended: Pick<ExecutionEvent, 'events' | 'error'>): void {
    this.#metrics.count(this.#now(), placeOf.RESPONSE_FROM_CACHE)
    const { events } = ended
    const failed = 'error' in ended ? { error: ended.error } : {}
    this.#emitter.emit('execution', () => ({ name: this.name, events, duration: 0, ...failed }))
  }

  /** Into a forced state until {@link Breaker.reset}. */
  force(state: ForcedState): void {
    this.#circuit.force(state, this.#now())
  }

  /** Closed, and the window empty. */
  reset(): void {
    this.#circuit.reset(this.#now())
  }

  /** To go on in another process: plain data for JSON. */
  snapshot(): BreakerSnapshot {
    return { ...this.#circuit.snapshot(this.#now()), takenAt: this.#settings.clock.now() }
  }

  /** @throws ResilienceError `INVALID_SNAPSHOT`, and nothing has changed. */
  restore(snapshot: BreakerSnapshot): void {
    const takenAt = readTakenAt(snapshot)
    const age = takenAt === undefined ? 0 : this.#settings.clock.now() - takenAt
    this.#circuit.restore(snapshot, this.#now(), age)
  }

  /**
   * What the breaker holds for calls, it lets go: their places in the queue, their time limits, its listeners on their
   * callers' signals, their fallbacks. Calls that had any of these are rejected with `DISPOSED`, and so are new ones. A
   * call that only its work can end is asked to by its context's signal, as all running ones are, and has the answer of
   * its work. No timer is left, nor comes later.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#calls.dispose()
    this.#halfOpenTimer?.end()
  }

  #now(): number {
    return this.#settings.clock.monotonic()
  }
}

function watchOf(
  { circuit, clock, lagTolerance }: BreakerSettings,
  metrics: CallMetrics,
  emitter: BreakerEmitter,
): LoopWatch | undefined {
  if (lagTolerance === undefined) return undefined
  const horizons = [circuit.slow?.over ?? 0, circuit.probeTimeout, circuit.halfOpenMax]
  return new LoopWatch({
    clock,
    tolerance: lagTolerance,
    horizon: Math.max(...horizons.filter((each) => each !== Infinity)),
    pending: () => metrics.running,
    observer: emitter,
  })
}

function faultOf(work: unknown, options: unknown): InvalidOptionError | undefined {
  if (typeof work !== 'function') return new InvalidOptionError(`work must be a function, not ${shown(work)}`)
  if (typeof options !== 'object' || options === null)
    return new InvalidOptionError(`the options of a call must be an object, not ${shown(options)}`)
  return undefined
}
