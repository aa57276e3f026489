import { EventEmitter } from 'node:events'
import { InvalidOptionError, shown } from '../../errors.ts'
import { uniqueName } from '../../ports.ts'
import type { State as CircuitState } from '../../settings.ts'
import { type Aborter, type AbortSignals, SharedSignal, SignalPerCall } from './abort-signals.ts'
import { CircuitBreakerError, isOurError } from './errors.ts'
import { type CircuitBreakerEvents, countedEvents, guard } from './events.ts'
import { FiredCall } from './fired-call.ts'
import { KnownAnswers, type LookUp } from './known-answers.ts'
import { type Hook, makeStatus, readOptions, readStatus, type Settings } from './options.ts'
import { type Semaphore, semaphore } from './semaphore.ts'
import type { Counter } from './status.ts'
import { TimedCircuit } from './timed-circuit.ts'
import { type Cancel, clock, every, limit } from './timers.ts'

export type Action<TI extends unknown[], TR> = (...args: TI) => TR | PromiseLike<TR>

/** A breaker in place of a fallback function. */
export interface Firable {
  fire(...args: never[]): PromiseLike<unknown>
}

/**
 * A function behind a breaker, with the API of opossum 10 on this package's `Circuit`. Differs on purpose: results and
 * failures that come late change nothing, a probe has a lease (`resetTimeout`, or a second more than `timeout`), what was
 * counted before a close does not reopen, a restored breaker waits for what is left, a full semaphore takes no probe, a
 * listener that throws changes no outcome, and what was shut down stays so.
 */
export class CircuitBreaker<TI extends unknown[] = unknown[], TR = unknown>
  extends EventEmitter<CircuitBreakerEvents<TI, TR>>
  implements AsyncDisposable
{
  readonly options: Settings<TI>
  readonly action: Hook<TI, TR | PromiseLike<TR>>
  readonly name: string
  readonly group: string
  readonly volumeThreshold: number
  readonly status: CircuitBreaker.Status
  readonly semaphore: Semaphore
  readonly #circuit: TimedCircuit
  readonly #signals: AbortSignals
  readonly #answers: KnownAnswers<TR>
  readonly #healthChecks = new Set<Cancel>()
  readonly #warmUpEnds: number
  #fallback: ((args: readonly unknown[]) => unknown) | undefined
  #enabled: boolean
  #isShutdown = false

  /** True where the breaker made the error, and not the action. */
  static isOurError(error: unknown): boolean {
    return isOurError(error)
  }

  /** A status with counts of before, for the option `status`. */
  static newStatus(options?: CircuitBreaker.StatusOptions): CircuitBreaker.Status {
    return makeStatus(options)
  }

  /**
   * An action that is no function is what calls resolve to.
   *
   * @throws InvalidOptionError naming the option; TypeError without an action, and where opossum has one.
   */
  constructor(action: Action<TI, TR>, options: CircuitBreaker.Options<TI> = {}) {
    super()
    this.options = readOptions(options)
    const { state, abortController, autoRenewAbortController } = this.options
    this.action = readAction<TI, TR>(action)
    this.name = options.name || nameOf(action) || uniqueName()
    this.group = options.group || this.name
    this.volumeThreshold = this.options.volumeThreshold
    this.status = readStatus(this.options)
    this.semaphore = semaphore(this.options.capacity)
    this.#answers = new KnownAnswers(this.options, (event) => this.#lookedUp(event))
    this.#signals =
      autoRenewAbortController && abortController
        ? new SignalPerCall(abortController)
        : new SharedSignal(abortController)
    this.#circuit = new TimedCircuit(this.options, this.status, (to) => this.#entered(to))
    this.#enabled = (state ?? options).enabled !== false
    const warmsUp = state?.warmUp === true || options.allowWarmUp === true
    this.#warmUpEnds = warmsUp ? clock.monotonic() + this.options.rollingCountTimeout : -Infinity
    // Where opossum says it, and its users look for it.
    if (options.maxFailures) console.error(deprecation)
    if (state?.shutdown) this.shutdown()
    else if (state) this.#circuit.restore(state)
  }

  get enabled(): boolean {
    return this.#enabled
  }

  get isShutdown(): boolean {
    return this.#isShutdown
  }

  get closed(): boolean {
    return !this.#isShutdown && this.#circuit.state === 'closed'
  }

  get opened(): boolean {
    return !this.#isShutdown && this.#circuit.state === 'open'
  }

  get halfOpen(): boolean {
    return !this.#isShutdown && this.#circuit.state === 'half-open'
  }

  /** Half-open, and its probe not yet out. */
  get pendingClose(): boolean {
    return !this.#isShutdown && this.#circuit.awaitsProbe
  }

  get warmUp(): boolean {
    return clock.monotonic() < this.#warmUpEnds
  }

  get stats(): CircuitBreaker.Stats {
    return this.status.stats
  }

  toJSON(): { state: CircuitBreaker.State; status: CircuitBreaker.Stats } {
    return {
      state: {
        name: this.name,
        enabled: this.enabled,
        closed: this.closed,
        open: this.opened,
        halfOpen: this.halfOpen,
        warmUp: this.warmUp,
        shutdown: this.isShutdown,
        lastTimerAt: this.#circuit.openedAt,
      },
      status: this.stats,
    }
  }

  /**
   * Runs the action where the circuit lets it.
   *
   * @throws CircuitBreakerError `EOPENBREAKER`, `ETIMEDOUT`, `ESEMLOCKED` or `ESHUTDOWN`, or what the action throws: the
   * promise is rejected with it, unless there is a fallback.
   */
  fire(...args: TI): Promise<TR> {
    return this.call(this.action, ...args)
  }

  /** The same, with a `this` for the action. */
  call(context: unknown, ...args: TI): Promise<TR> {
    if (this.#isShutdown)
      return Promise.reject(new CircuitBreakerError('ESHUTDOWN', 'The circuit has been shutdown.'))
    this.#count('fires')
    this.#tell('fire', args)
    try {
      return this.#answer(context, args)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Answers in place of a call that failed or was refused: a function of its arguments and the error, or a breaker. */
  fallback(fallback: Hook<[...args: TI, error: Error], unknown> | Firable | null): this {
    if (fallback === null || fallback === undefined) this.#fallback = undefined
    else if (typeof fallback === 'function')
      this.#fallback = (args) => Reflect.apply(fallback, fallback, args)
    else if (typeof fallback === 'object' && typeof fallback.fire === 'function')
      this.#fallback = (args) => Reflect.apply(fallback.fire, fallback, args)
    else throw new InvalidOptionError(`the fallback must be a function or a breaker, not ${shown(fallback)}`)
    return this
  }

  open(): void {
    if (!this.#isShutdown) this.#circuit.open()
  }

  close(): void {
    if (!this.#isShutdown) this.#circuit.close()
  }

  enable(): void {
    this.#enabled = true
    this.status.startListeneningForRotateEvent()
  }

  /** Calls go straight to the action. */
  disable(): void {
    this.#enabled = false
    this.status.removeRotateBucketControllerListener()
  }

  /** For good: later calls are rejected with `ESHUTDOWN`, and no timer is left but those of calls under way. */
  shutdown(): void {
    this.#tell('shutdown')
    this.disable()
    this.removeAllListeners()
    this.#isShutdown = true
    this.#circuit.stop()
    for (const cancel of this.#healthChecks) cancel()
    this.#healthChecks.clear()
    this.status.shutdown()
    this.clearCache()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.shutdown()
  }

  clearCache(): void {
    this.#answers.flush()
  }

  /**
   * Calls `check`, with the breaker as its `this`, now and every `interval` milliseconds (default 5,000); where it fails
   * the circuit opens.
   */
  healthCheck(check: () => unknown, interval?: number): void {
    if (typeof check !== 'function') throw new TypeError('Health check function must be a function')
    const ms = interval || 5000
    if (!(ms > 0)) throw new TypeError('Health check interval must be a number')
    const look = async (): Promise<void> => {
      try {
        await Reflect.apply(check, this, [])
      } catch (error) {
        if (this.#isShutdown) return
        this.#tell('healthCheckFailed', error)
        this.open()
      }
    }
    if (this.#isShutdown) return
    this.#healthChecks.add(every(ms, () => void look()))
    void look()
  }

  /** What is counted and what is listened to. */
  override eventNames(): ReturnType<EventEmitter<CircuitBreakerEvents<TI, TR>>['eventNames']> {
    const listened = super.eventNames()
    return this.#isShutdown ? listened : [...new Set([...countedEvents, ...listened])]
  }

  /**
   * Asked for in the action, with `autoRenewAbortController` the signal of that call alone; elsewhere that of the call
   * that is fired next. Without, the signal of the option `abortController`.
   */
  getSignal(): AbortSignal | undefined {
    return this.#signals.current
  }

  /** Aborting it aborts every call under way. */
  getAbortController(): Aborter | undefined {
    return this.#signals.controller
  }

  #answer(context: unknown, args: TI): Promise<TR> {
    if (!this.#enabled) return Promise.resolve(Reflect.apply(this.action, context, args))
    const key = this.#answers.keyed ? Reflect.apply(this.options.cacheGetKey, this, args) : ''
    const known = this.#answers.keyed ? this.#answers.find(key) : undefined
    if (known !== undefined) return known
    if (!this.closed && !this.pendingClose) return this.#refuse(args)
    const call = new FiredCall<TI, TR>(args, key)
    this.#answers.share(key, call.promise)
    this.#execute(call, context)
    return call.promise
  }

  #refuse(args: TI): Promise<TR> {
    const error = new CircuitBreakerError('EOPENBREAKER', 'Breaker is open')
    this.#count('rejects')
    this.#tell('reject', error)
    return this.#fallBack(error, args) ?? Promise.reject(error)
  }

  // A place first, so that a full semaphore takes no probe.
  #execute(call: FiredCall<TI, TR>, context: unknown): void {
    if (!this.semaphore.test()) {
      this.#locked(call)
      return
    }
    call.permit = this.#circuit.acquire()
    const { timeout } = this.options
    if (timeout) call.cancelLimit = limit(timeout, () => this.#timedOut(call, timeout))
    call.signal = this.#signals.begin()
    let result: TR | PromiseLike<TR>
    try {
      result = call.signal.run(() => Reflect.apply(this.action, context, call.args))
    } catch (error) {
      this.#rejected(call, error)
      return
    }
    const promise = Promise.resolve(result)
    promise.then(
      (value) => this.#resolved(call, value, promise),
      (error: unknown) => this.#rejected(call, error),
    )
  }

  #locked(call: FiredCall<TI, TR>): void {
    const error = new CircuitBreakerError('ESEMLOCKED', 'Semaphore locked')
    call.end()
    this.#count('semaphoreRejections')
    this.#tell('semaphoreLocked', error, call.latency)
    this.#failed(call, error)
    this.#answers.unshare(call.key)
  }

  #timedOut(call: FiredCall<TI, TR>, timeout: number): void {
    if (!call.end()) return
    const error = new CircuitBreakerError('ETIMEDOUT', `Timed out after ${timeout}ms`)
    this.semaphore.release()
    const { latency } = call
    this.#count('timeouts', latency)
    this.#tell('timeout', error, latency, call.args)
    this.#failed(call, error)
    this.#answers.unshare(call.key, 'timeout')
    call.signal?.abort(this.semaphore.count === this.options.capacity)
  }

  #rejected(call: FiredCall<TI, TR>, error: unknown): void {
    if (!call.end()) return
    this.semaphore.release()
    this.#failed(call, error)
    this.#answers.unshare(call.key, 'error')
  }

  #resolved(call: FiredCall<TI, TR>, value: TR, promise: Promise<TR>): void {
    if (!call.end()) return
    this.#succeeded(call, value)
    this.#answers.unshare(call.key, 'success')
    this.semaphore.release()
    call.resolve(value)
    this.#answers.keep(call.key, promise)
  }

  // `close` goes out before `success`, as from opossum.
  #succeeded(call: FiredCall<TI, TR>, result: unknown): void {
    const { latency } = call
    this.#count('successes', latency)
    if (call.permit !== undefined) this.#circuit.succeeded(call.permit)
    this.#tell('success', result, latency)
  }

  #failed(call: FiredCall<TI, TR>, error: unknown): void {
    if (this.#isFiltered(error, call.args)) {
      this.#succeeded(call, error)
      call.reject(error)
      return
    }
    const { latency } = call
    this.#count('failures', latency)
    this.#circuit.failureCounted(call.permit)
    this.#tell('failure', error, latency, call.args)
    this.#circuit.failed(call.permit, this.warmUp)
    const answer = this.#fallBack(error, call.args)
    if (answer === undefined) call.reject(error)
    else call.resolve(answer)
  }

  #isFiltered(error: unknown, args: TI): boolean {
    return Boolean(guard(() => Reflect.apply(this.options.errorFilter, this.options, [error, ...args])))
  }

  #fallBack(error: unknown, args: TI): Promise<TR> | undefined {
    if (this.#fallback === undefined) return undefined
    let result: unknown
    try {
      result = this.#fallback([...args, error])
    } catch (thrown) {
      return Promise.reject(thrown)
    }
    this.#count('fallbacks')
    this.#tell('fallback', result, error)
    // Its type is its author's word, as with opossum: a fallback may answer anything.
    return Promise.resolve(result as TR)
  }

  #entered(to: CircuitState): void {
    if (to === 'open') {
      this.status.open()
      this.#tell('open')
      return
    }
    this.#signals.renew()
    if (to === 'closed') {
      this.status.close()
      this.#tell('close')
    } else this.#tell('halfOpen', this.options.resetTimeout)
  }

  #lookedUp(event: LookUp): void {
    this.#count(lookUps[event])
    this.#tell(event)
  }

  #count(counter: Counter, latency?: number): void {
    this.status.increment(counter, latency)
  }

  #tell(name: keyof CircuitBreakerEvents<TI, TR>, ...args: readonly unknown[]): void {
    if (this.listenerCount(name) > 0) guard(() => EventEmitter.prototype.emit.call(this, name, ...args))
  }
}

/** The types under the names that @types/opossum gives them. */
export declare namespace CircuitBreaker {
  export type Options<TI extends unknown[] = unknown[]> = import('./options.ts').Options<TI>
  export type State = import('./options.ts').State
  export type Status = import('./status.ts').Status
  export type StatusOptions = import('./status.ts').StatusOptions
  export type Stats = import('./status.ts').Stats
  export type Bucket = import('./status.ts').Bucket
  export type Window = Bucket[]
  export type CacheTransport = import('./memory-cache.ts').CacheTransport
  export type MemoryCache = CacheTransport
}

const lookUps = {
  cacheHit: 'cacheHits',
  cacheMiss: 'cacheMisses',
  coalesceCacheHit: 'coalesceCacheHits',
  coalesceCacheMiss: 'coalesceCacheMisses',
} as const

const deprecation = 'options.maxFailures is deprecated. Please use options.errorThresholdPercentage'

function readAction<TI extends unknown[], TR>(action: unknown): Action<TI, TR> {
  if (!action)
    throw new TypeError('No action provided. Cannot construct a CircuitBreaker without an invocable action.')
  return (typeof action === 'function' ? action : () => action) as Action<TI, TR>
}

function nameOf(action: unknown): string | undefined {
  const { name }: { readonly name?: unknown } = Object(action)
  return typeof name === 'string' ? name : undefined
}
