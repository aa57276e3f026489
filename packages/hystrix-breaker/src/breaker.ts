import { type BreakerOptions, type BreakerSettings, breakerSettings } from './breaker-options.ts'
import { Bulkhead } from './bulkhead.ts'
import { Call, type CallContext, type PendingCall, type Work } from './call.ts'
import { Circuit, type Outcome, type Refusal } from './circuit.ts'
import { Deadlines } from './deadlines.ts'
import { Emitter } from './emitter.ts'
import { ResilienceError } from './errors.ts'
import { type BreakerEvents, breakerChannels } from './events.ts'
import type { BreakerMetrics } from './metrics/breaker-metrics.ts'
import { type CallEvent, placeOf } from './metrics/call-event.ts'
import { CallMetrics } from './metrics/call-metrics.ts'
import { Permit } from './permit.ts'
import type { ForcedState, State } from './settings.ts'
import type { CircuitSnapshot } from './snapshot.ts'
import type { Counts } from './window/window.ts'

export interface CallOptions {
  /** Gives the call up: its caller gets the signal's reason, and it counts neither way. */
  readonly signal?: AbortSignal
}

/** A snapshot with the wall-clock time that it was taken at. */
export interface BreakerSnapshot extends CircuitSnapshot {
  readonly takenAt: number
}

/** A call that may have to wait for its place. */
interface Place {
  readonly call: PendingCall
  begin(): void
}

/** A circuit with what a call needs around it: a time limit, a bulkhead, an abort signal of its own. */
export class Breaker implements AsyncDisposable {
  readonly name: string
  readonly #settings: BreakerSettings
  readonly #circuit: Circuit
  readonly #emitter: Emitter<BreakerEvents> = new Emitter(breakerChannels)
  readonly #bulkhead: Bulkhead<Place> | undefined
  readonly #deadlines: Deadlines | undefined
  readonly #metrics: CallMetrics
  readonly #open = new Set<PendingCall>()
  readonly #queued = new Map<PendingCall, Place>()
  #disposed = false

  /** @throws InvalidOptionError naming the option. */
  constructor(options: BreakerOptions = {}) {
    const settings = breakerSettings(options)
    const { name, timeout, bulkhead, clock } = settings
    this.name = name
    this.#settings = settings
    this.#metrics = new CallMetrics(settings, bulkhead !== undefined)
    this.#bulkhead = bulkhead && new Bulkhead(bulkhead.max, bulkhead.queue)
    this.#deadlines = timeout === undefined ? undefined : new Deadlines(clock, timeout)
    this.#circuit = new Circuit(settings.circuit, {
      transition: (each) => this.#emitter.emit('stateChange', () => ({ name, ...each })),
      late: (_, outcome) => this.#emitter.emit('late', () => ({ name, outcome })),
      thresholdReached: (threshold, counts) =>
        this.#emitter.emit('threshold', () => ({ name, threshold, counts })),
    })
  }

  /** What it is shown with. */
  get group(): string {
    return this.#settings.group
  }

  get metrics(): BreakerMetrics {
    return this.#metrics
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

  /** Calls begun and not answered, and calls that wait for a place. */
  get calls(): { readonly running: number; readonly queued: number } {
    return { running: this.#open.size - this.#queued.size, queued: this.#queued.size }
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
   * @throws ResilienceError `CIRCUIT_OPEN` (with `retryAfter`), `BULKHEAD_FULL`, `TIMEOUT` or `DISPOSED`; the reason of
   * `signal`, where it is aborted first. The promise is rejected with it.
   */
  execute<T>(work: Work<T>, { signal }: CallOptions = {}): Promise<T> {
    if (this.#disposed) return Promise.reject(this.#disposedError())
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    const call = new Call(work, this, signal)
    this.#open.add(call)
    if (this.#bulkhead === undefined) this.#begin(call)
    else this.#enter(call, this.#bulkhead)
    return call.promise
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
    this.#bulkhead?.drain()
    this.#queued.clear()
    for (const call of this.#open) {
      if (call.permit !== undefined) this.#circuit.settle(call.permit, 'ignore', this.#now())
      call.reject(this.#disposedError(), { abort: true })
    }
    this.#open.clear()
    this.#deadlines?.clear()
  }

  /** @internal */
  aborted(call: PendingCall, reason: unknown): void {
    this.#settle(call, 'ignore', 'CANCELLED', reason)
    call.reject(reason, { abort: true })
  }

  /** @internal */
  expired(call: PendingCall): void {
    const error = new ResilienceError(
      'TIMEOUT',
      `${this.name}: no answer within ${this.#settings.timeout} ms: raise timeout, or see why it is slow`,
    )
    this.#settle(call, 'failure', 'TIMEOUT', error)
    call.reject(error, { abort: true })
  }

  #enter<T>(call: Call<T>, bulkhead: Bulkhead<Place>): void {
    const place = { call, begin: () => this.#begin(call) }
    const entered = bulkhead.enter(place)
    if (entered === 'entered') this.#begin(call)
    else if (entered === 'queued') this.#queued.set(call, place)
    else {
      this.#open.delete(call)
      this.#emitter.emit('reject', () => ({ name: this.name, code: 'BULKHEAD_FULL' }))
      const { running, queued } = this.calls
      call.reject(
        withoutStack(
          () =>
            new ResilienceError(
              'BULKHEAD_FULL',
              `${this.name}: ${running} calls are running and ${queued} wait: try later, or raise bulkhead.max or bulkhead.queue`,
            ),
        ),
      )
    }
  }

  #begin<T>(call: Call<T>): void {
    const answer = this.#circuit.acquire(this.#now())
    if (!(answer instanceof Permit)) {
      this.#refuse(call, answer)
      return
    }
    call.permit = answer
    this.#metrics.begin(answer.startedAt)
    this.#deadlines?.add(call)
    let result: T | PromiseLike<T>
    try {
      result = call.work(call)
    } catch (error) {
      this.#failed(call, error)
      return
    }
    if (isThenable(result)) {
      result.then(
        (value) => this.#succeeded(call, value),
        (error: unknown) => this.#failed(call, error),
      )
    } else this.#succeeded(call, result)
  }

  #succeeded<T>(call: Call<T>, value: T): void {
    if (call.answered) return
    this.#settle(call, 'success', 'SUCCESS')
    call.resolve(value)
  }

  #failed(call: PendingCall, error: unknown): void {
    if (call.answered) return
    if (this.#counts(error)) this.#settle(call, 'failure', 'FAILURE', error)
    else this.#settle(call, 'ignore', 'BAD_REQUEST', error)
    call.reject(error)
  }

  #counts(error: unknown): boolean {
    const { isFailure } = this.#settings
    if (isFailure === undefined) return true
    try {
      return isFailure(error)
    } catch (thrown) {
      this.#emitter.emit('error', () => ({ name: this.name, error: thrown }))
      return true
    }
  }

  // Before the caller is answered: what it does next finds the circuit as its call left it, and its place free.
  #settle(call: PendingCall, outcome: Outcome, event: CallEvent, error?: unknown): void {
    const now = this.#now()
    this.#metrics.count(now, placeOf[event])
    if (call.permit !== undefined) this.#metrics.end(now, now - call.permit.startedAt)
    const events: CallEvent[] =
      event === 'SUCCESS' || outcome === 'ignore' ? [event] : [event, 'FALLBACK_MISSING']
    this.#emitter.emit('execution', () => ({
      name: this.name,
      events,
      duration: now - (call.permit?.startedAt ?? now),
      ...(event === 'SUCCESS' ? {} : { error }),
    }))
    this.#open.delete(call)
    const place = this.#queued.get(call)
    if (place !== undefined) {
      this.#queued.delete(call)
      this.#bulkhead?.remove(place)
      return
    }
    this.#deadlines?.delete(call)
    if (call.permit !== undefined) this.#circuit.settle(call.permit, outcome, this.#now())
    call.answered = true
    this.#leave()
  }

  #refuse(call: PendingCall, { state, retryAfter }: Refusal): void {
    this.#open.delete(call)
    this.#emitter.emit('reject', () => ({ name: this.name, code: 'CIRCUIT_OPEN' }))
    const when = retryAfter === undefined ? '' : `; the next probe may go in ${Math.ceil(retryAfter)} ms`
    call.reject(
      withoutStack(
        () =>
          new ResilienceError('CIRCUIT_OPEN', `${this.name}: the circuit is ${state}${when}`, { retryAfter }),
      ),
    )
    this.#leave()
  }

  #leave(): void {
    const next = this.#bulkhead?.leave()
    if (next === undefined) return
    this.#queued.delete(next.call)
    next.begin()
  }

  #now(): number {
    return this.#settings.clock.monotonic()
  }

  #disposedError(): ResilienceError {
    return new ResilienceError('DISPOSED', `${this.name}: the breaker was disposed of`)
  }
}

/** A function behind a breaker. */
export interface GuardedFunction<A extends unknown[], T> extends AsyncDisposable {
  (...args: A): Promise<T>
  readonly breaker: Breaker
  /** The same function with a signal that gives its calls up. */
  withSignal(signal: AbortSignal): (...args: A) => Promise<T>
}

export interface GuardOptions<A extends unknown[], T> extends BreakerOptions {
  /**
   * Answers in place of a call that failed, timed out or was refused; not of one that its caller gave up, nor of an
   * error that `isFailure` lets pass. It has no influence on the circuit.
   */
  readonly fallback?: (error: unknown, ...args: A) => T | PromiseLike<T>
}

/**
 * A function with a breaker before it. Its last argument is the {@link CallContext}; callers leave it out.
 *
 * @throws InvalidOptionError naming the option.
 */
export function breaker<A extends unknown[], T>(
  work: (...args: [...A, context: CallContext]) => T | PromiseLike<T>,
  { fallback, ...options }: GuardOptions<A, T> = {},
): GuardedFunction<A, T> {
  const own = new Breaker(options)
  const { isFailure } = options
  const run = (args: A, signal: AbortSignal | undefined): Promise<T> => {
    const answer = own.execute((context) => work(...args, context), signal === undefined ? {} : { signal })
    if (fallback === undefined) return answer
    return answer.catch(async (error: unknown) => {
      if (signal?.aborted === true || !replaceable(error, isFailure)) throw error
      try {
        return await fallback(error, ...args)
      } catch (thrown) {
        throw new ResilienceError('FALLBACK_FAILED', `${own.name} failed, and so did its fallback`, {
          cause: new AggregateError([error, thrown], 'the error of the call, then that of the fallback'),
        })
      }
    })
  }
  return Object.assign((...args: A) => run(args, undefined), {
    breaker: own,
    withSignal:
      (signal: AbortSignal) =>
      (...args: A) =>
        run(args, signal),
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  })
}

function replaceable(error: unknown, isFailure: BreakerOptions['isFailure']): boolean {
  if (isFailure === undefined || error instanceof ResilienceError) return true
  try {
    return isFailure(error)
  } catch {
    return true
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

// A stack costs more than the refusal, and would say only that execute was called.
function withoutStack<T>(make: () => T): T {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return make()
  } finally {
    Error.stackTraceLimit = limit
  }
}
