import { type BreakerOptions, type BreakerSettings, breakerSettings } from './breaker-options.ts'
import { Bulkhead } from './bulkhead.ts'
import { Call, type CallOwner, type ExecuteOptions, type Sink, type Work } from './call.ts'
import { Circuit, type Outcome, type Refusal } from './circuit.ts'
import { Deadlines } from './deadlines.ts'
import { Emitter } from './emitter.ts'
import type { ResilienceError } from './errors.ts'
import { type BreakerEvents, breakerChannels, type ExecutionEvent } from './events.ts'
import { LinkedList } from './linked-list.ts'
import { LoopGuard } from './local-fault/loop-guard.ts'
import type { BreakerMetrics } from './metrics/breaker-metrics.ts'
import { type CallEvent, placeOf } from './metrics/call-event.ts'
import { CallMetrics } from './metrics/call-metrics.ts'
import { Permit } from './permit.ts'
import { Refusals } from './refusals.ts'
import type { ForcedState, State } from './settings.ts'
import type { CircuitSnapshot } from './snapshot.ts'
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
const settled = Promise.resolve()

/** A circuit with what a call needs around it: a time limit, a bulkhead, a fallback, an abort signal of its own. */
export class Breaker implements AsyncDisposable, CallOwner {
  readonly name: string
  readonly #settings: BreakerSettings
  readonly #circuit: Circuit
  readonly #emitter: Emitter<BreakerEvents>
  readonly #metrics: CallMetrics
  readonly #refusals: Refusals
  readonly #bulkhead: Bulkhead<Call<unknown>> | undefined
  readonly #running: Deadlines<Call<unknown>>
  readonly #fallingBack = new LinkedList<Call<unknown>>()
  #placesFreed = 0
  #filling = false
  #halfOpenTimer: unknown
  #reporting = false
  #disposed = false

  /** @throws InvalidOptionError naming the option. */
  constructor(options: BreakerOptions = {}, { requestCache = false } = {}) {
    const settings = breakerSettings(options, requestCache)
    const { name, timeout, bulkhead, clock, lagTolerance } = settings
    this.name = name
    this.#settings = settings
    this.#emitter = new Emitter(breakerChannels, (error) => this.#report(error))
    this.#metrics = new CallMetrics(settings)
    this.#refusals = new Refusals(name, settings.stacks)
    this.#bulkhead = bulkhead && new Bulkhead(bulkhead.max, bulkhead.queue)
    const guard =
      lagTolerance === undefined
        ? undefined
        : new LoopGuard(lagTolerance, (lag, pending) =>
            this.#emitter.emit('lag', () => ({ name, lag, pending })),
          )
    this.#running = new Deadlines(clock, timeout ?? Infinity, guard)
    this.#circuit = new Circuit(settings.circuit, {
      transition: (each) => {
        this.#awaitHalfOpen()
        this.#emitter.emit('stateChange', () => ({ name, ...each }))
      },
      late: (_, outcome) => this.#emitter.emit('late', () => ({ name, outcome })),
      thresholdReached: (threshold, counts) =>
        this.#emitter.emit('threshold', () => ({ name, threshold, counts })),
    })
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

  /** Calls `listener` for each event; the function that comes back ends it. */
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
    return new Promise((succeed, fail) => this.#enter(new Call(this, work, options, { succeed, fail })))
  }

  /** {@link Breaker.execute}, with what happened. */
  start<T>(work: Work<T>, options: ExecuteOptions<T> = noOptions): Execution<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const call = this.begin(work, { succeed: resolve, fail: reject }, options)
    return {
      answer: promise,
      get events() {
        return call.events
      },
    }
  }

  /** @internal {@link Breaker.execute}, whose answer goes to `sink`, at once or later. */
  begin<T>(work: Work<T>, sink: Sink<T>, options: ExecuteOptions<T> = noOptions): Call<T> {
    const call = new Call(this, work, options, sink)
    this.#enter(call)
    return call
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
    const age = this.#settings.clock.now() - snapshot.takenAt
    this.#circuit.restore(snapshot, this.#now(), Number.isFinite(age) ? age : 0)
  }

  /** Calls running and waiting are rejected with `DISPOSED`, their signals aborted; no timer is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    const error = this.#refusals.disposed()
    for (const call of this.#bulkhead?.drain() ?? []) this.#giveUp(call, error)
    const { waiting } = this.#running
    while (waiting.first !== undefined) this.#giveUp(waiting.first, error)
    while (this.#fallingBack.first !== undefined) this.#giveUp(this.#fallingBack.first, error)
    this.#running.clear()
    this.#awaitHalfOpen()
  }

  /** @internal */
  aborted(call: Call<unknown>, reason: unknown): void {
    if (call.stage === 'queued') this.#bulkhead?.remove(call)
    this.#giveUp(call, reason)
  }

  /** @internal */
  expired(call: Call<unknown>, stalled: boolean): void {
    const now = this.#now()
    const error = this.#refusals.timeout(this.#settings.timeout)
    this.#settle(call, 'TIMEOUT', stalled ? 'ignore' : 'failure', now)
    call.abortWork(error)
    this.#fallBack(call, error, now)
  }

  #enter(call: Call<unknown>): void {
    const { signal } = call.options
    const bulkhead = this.#bulkhead
    const now = this.#now()
    call.arrivedAt = now
    if (this.#disposed) return this.#fail(call, this.#refusals.disposed(), now)
    if (signal?.aborted === true) return this.#giveUp(call, signal.reason)
    if (signal !== undefined) call.watch(signal)
    if (bulkhead === undefined) return this.#begin(call, now)
    const refusal = this.#circuit.refusal(now)
    if (refusal !== undefined) return this.#shortCircuit(call, refusal, now)
    const entered = bulkhead.enter(call)
    if (entered === 'entered') this.#begin(call, now)
    else if (entered === 'full') this.#rejectFull(call, now)
    else {
      call.stage = 'queued'
      this.#metrics.queued++
    }
  }

  #begin(call: Call<unknown>, now: number): void {
    const permit = this.#circuit.acquire(now)
    if (!(permit instanceof Permit)) {
      this.#shortCircuit(call, permit, now)
      this.#leave()
      return
    }
    call.permit = permit
    call.startedAt = now
    call.stage = 'running'
    this.#metrics.begin(now)
    this.#running.add(call)
    const { work } = call
    try {
      const result = work(call)
      if (!isThenable(result)) return this.#succeeded(call, result)
      const promise = result instanceof Promise ? result : Promise.resolve(result)
      promise.then(
        (value: unknown) => this.#succeeded(call, value),
        (error: unknown) => this.#failed(call, error),
      )
    } catch (error) {
      this.#failed(call, error)
    }
  }

  #succeeded(call: Call<unknown>, value: unknown): void {
    if (call.stage !== 'running') return
    const now = this.#now()
    this.#running.delete(call)
    this.#settle(call, 'SUCCESS', 'success', now)
    this.#succeed(call, value, now)
  }

  #failed(call: Call<unknown>, error: unknown): void {
    if (call.stage !== 'running') return
    const now = this.#now()
    const counts = this.#isFailure(error)
    this.#running.delete(call)
    this.#settle(call, counts ? 'FAILURE' : 'BAD_REQUEST', counts ? 'failure' : 'ignore', now)
    if (counts) this.#fallBack(call, error, now)
    else this.#fail(call, error, now)
  }

  #isFailure(error: unknown): boolean {
    const { isFailure } = this.#settings
    if (isFailure === undefined) return true
    try {
      return isFailure(error)
    } catch (thrown) {
      this.#report(thrown)
      return true
    }
  }

  // Before the caller is answered: what it does next finds the circuit as its call left it, and its place free.
  #settle(call: Call<unknown>, event: CallEvent, outcome: Outcome, now: number): void {
    call.outcome = event
    this.#metrics.end(now, now - call.startedAt, placeOf[event])
    if (call.permit !== undefined) this.#circuit.settle(call.permit, outcome, now)
    this.#leave()
  }

  #shortCircuit(call: Call<unknown>, refusal: Refusal, now: number): void {
    this.#refuse(call, 'SHORT_CIRCUITED', this.#refusals.circuitOpen(refusal), now)
  }

  #rejectFull(call: Call<unknown>, now: number): void {
    const { running, queued } = this.#metrics
    if (this.#settings.circuit.rejectionsCount) this.#circuit.rejected(now)
    const event =
      this.#settings.bulkhead?.isolation === 'THREAD' ? 'THREAD_POOL_REJECTED' : 'SEMAPHORE_REJECTED'
    this.#refuse(call, event, this.#refusals.bulkheadFull(running, queued), now)
  }

  #refuse(
    call: Call<unknown>,
    event: 'SHORT_CIRCUITED' | 'THREAD_POOL_REJECTED' | 'SEMAPHORE_REJECTED',
    error: ResilienceError,
    now: number,
  ): void {
    call.outcome = event
    this.#metrics.count(now, placeOf[event])
    this.#emitter.emit('reject', () => ({
      name: this.name,
      code: event === 'SHORT_CIRCUITED' ? 'CIRCUIT_OPEN' : 'BULKHEAD_FULL',
    }))
    this.#fallBack(call, error, now)
  }

  #fallBack(call: Call<unknown>, error: unknown, now: number): void {
    const { fallback, fallbackMax = this.#settings.fallbackMax } = call.options
    if (fallback === false) {
      this.#metrics.count(now, placeOf.FALLBACK_DISABLED)
      return this.#fail(call, error, now)
    }
    if (fallback === undefined) return this.#fail(call, error, now, 'FALLBACK_MISSING')
    const running = this.#fallingBack.size
    if (running >= fallbackMax)
      return this.#fail(call, this.#refusals.fallbackRejected(running, error), now, 'FALLBACK_REJECTION')
    call.stage = 'fallback'
    this.#fallingBack.push(call)
    new Promise<unknown>((resolve) => resolve(fallback(error))).then(
      (value) => {
        if (call.stage !== 'fallback') return
        this.#fallingBack.remove(call)
        this.#succeed(call, value, this.#now(), 'FALLBACK_SUCCESS')
      },
      (thrown: unknown) => {
        if (call.stage !== 'fallback') return
        this.#fallingBack.remove(call)
        this.#fail(call, this.#refusals.fallbackFailed(error, thrown), this.#now(), 'FALLBACK_FAILURE')
      },
    )
  }

  // A call that waits is out of the queue already.
  #giveUp(call: Call<unknown>, reason: unknown): void {
    const now = this.#now()
    const { stage } = call
    if (stage === 'over') return
    if (stage === 'fallback') {
      this.#fallingBack.remove(call)
      return this.#fail(call, reason, now, 'CANCELLED')
    }
    if (stage === 'running') {
      this.#running.delete(call)
      this.#settle(call, 'CANCELLED', 'ignore', now)
      call.abortWork(reason)
    } else {
      if (stage === 'queued') this.#metrics.queued--
      call.outcome = 'CANCELLED'
      this.#metrics.count(now, placeOf.CANCELLED)
    }
    this.#fail(call, reason, now)
  }

  #succeed(call: Call<unknown>, value: unknown, now: number, substitute?: CallEvent): void {
    this.#over(call, now, substitute)
    if (this.#emitter.hears('execution')) this.#tell(call, now, {})
    call.sink.succeed(value)
  }

  #fail(call: Call<unknown>, error: unknown, now: number, substitute?: CallEvent): void {
    this.#over(call, now, substitute)
    if (this.#emitter.hears('execution')) this.#tell(call, now, { error })
    // A promise that is rejected before its caller can look at it costs more, in Node's books of unhandled rejections,
    // than all the rest of a refusal.
    if (call.permit === undefined) settled.then(() => call.sink.fail(error))
    else call.sink.fail(error)
  }

  #over(call: Call<unknown>, now: number, substitute: CallEvent | undefined): void {
    const { signal } = call.options
    call.stage = 'over'
    if (signal !== undefined) call.unwatch(signal)
    if (substitute !== undefined) {
      call.substitute = substitute
      this.#metrics.count(now, placeOf[substitute])
    }
    if (call.permit !== undefined) this.#metrics.answered(now, now - call.arrivedAt)
  }

  #tell({ events, arrivedAt }: Call<unknown>, now: number, failed: { readonly error?: unknown }): void {
    this.#emitter.emit('execution', () => ({
      name: this.name,
      events,
      duration: now - arrivedAt,
      ...failed,
    }))
  }

  // In a loop: work that ends at once would else begin the next one on the stack of the one before.
  #leave(): void {
    const bulkhead = this.#bulkhead
    if (bulkhead === undefined) return
    this.#placesFreed++
    if (this.#filling) return
    this.#filling = true
    while (this.#placesFreed > 0) {
      this.#placesFreed--
      const next = bulkhead.leave()
      if (next === undefined) continue
      this.#metrics.queued--
      this.#begin(next, this.#now())
    }
    this.#filling = false
  }

  // A timer that shows the end of the wait to those who listen; without it the next call does.
  #awaitHalfOpen(): void {
    const { clock, circuit } = this.#settings
    if (!circuit.autoHalfOpen) return
    if (this.#halfOpenTimer !== undefined) clock.clearTimeout(this.#halfOpenTimer)
    this.#halfOpenTimer = undefined
    const refusal = this.#disposed ? undefined : this.#circuit.refusal(this.#now())
    if (refusal?.state !== 'open') return
    this.#halfOpenTimer = clock.setTimeout(
      () => {
        this.#halfOpenTimer = undefined
        this.#awaitHalfOpen()
      },
      Math.ceil(refusal.retryAfter ?? 0),
    )
  }

  // Where nobody listens to errors it is an uncaught exception.
  #report(error: unknown): boolean {
    if (!this.#emitter.hears('error') || this.#reporting) return false
    this.#reporting = true
    this.#emitter.emit('error', () => ({ name: this.name, error }))
    this.#reporting = false
    return true
  }

  #now(): number {
    return this.#settings.clock.monotonic()
  }
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}
