import { isAbortSignal, signalFault } from './abort-signal.ts'
import type { BreakerEmitter } from './breaker-emitter.ts'
import type { BreakerSettings } from './breaker-options.ts'
import { Bulkhead } from './bulkhead.ts'
import {
  Call,
  type CallOwner,
  type ExecuteOptions,
  type InnerWork,
  type Sink,
  underWay,
  type Work,
} from './call.ts'
import { CallAnswers } from './call-answers.ts'
import type { Circuit, Refusal } from './circuit.ts'
import type { Outcome } from './circuit-observer.ts'
import { Deadlines } from './deadlines.ts'
import type { ResilienceError } from './errors.ts'
import { LinkedList } from './linked-list.ts'
import { LoopGuard } from './local-fault/loop-guard.ts'
import type { LoopWatch } from './local-fault/loop-watch.ts'
import { placeOf } from './metrics/call-event.ts'
import type { CallMetrics } from './metrics/call-metrics.ts'
import { Refusals } from './refusals.ts'
import { follow, isThenable, ownPromise } from './thenable.ts'

/** What the calls of a breaker have in common. */
export interface CallParts {
  readonly settings: BreakerSettings
  readonly circuit: Circuit
  readonly metrics: CallMetrics
  readonly emitter: BreakerEmitter
  readonly watch: LoopWatch | undefined
}

/** Takes calls through bulkhead, circuit, work and fallback to their one answer. */
export class CallRunner implements CallOwner {
  readonly #settings: BreakerSettings
  readonly #circuit: Circuit
  readonly #metrics: CallMetrics
  readonly #emitter: BreakerEmitter
  readonly #watch: LoopWatch | undefined
  readonly #refusals: Refusals
  readonly #answers: CallAnswers
  readonly #bulkhead: Bulkhead<Call<unknown>> | undefined
  readonly #running: Deadlines<Call<unknown>>
  readonly #fallingBack = new LinkedList<Call<unknown>>()
  #placesFreed = 0
  #filling = false
  #disposed = false

  constructor({ settings, circuit, metrics, emitter, watch }: CallParts) {
    const { name, timeout, bulkhead, clock, lagTolerance } = settings
    this.#settings = settings
    this.#circuit = circuit
    this.#metrics = metrics
    this.#emitter = emitter
    this.#watch = watch
    this.#refusals = new Refusals(name, settings.stacks)
    this.#answers = new CallAnswers(metrics, emitter)
    this.#bulkhead = bulkhead && new Bulkhead(bulkhead.max, bulkhead.queue)
    const guard = lagTolerance === undefined ? undefined : new LoopGuard(lagTolerance, emitter)
    this.#running = new Deadlines(clock, timeout ?? Infinity, guard)
  }

  execute<T>(work: Work<T>, options: ExecuteOptions<T>): Promise<T> {
    const call = new Call(this, work, options)
    const admitted = this.#enter(call)
    if (admitted && this.#settings.timeout === undefined && options.signal === undefined)
      return this.#runAlone(call, work)
    return new Promise((succeed, fail) => {
      call.sink = { succeed, fail }
      if (admitted) this.#run(call)
    })
  }

  begin<T>(work: Work<T> | InnerWork<T>, sink: Sink<T>, options: ExecuteOptions<T>): Call<T> {
    const call = new Call(this, work, options)
    call.sink = sink
    if (this.#enter(call)) this.#run(call)
    return call
  }

  dispose(): void {
    this.#disposed = true
    const error = this.#refusals.disposed()
    for (const call of this.#bulkhead?.drain() ?? []) this.aborted(call, error)
    const { waiting } = this.#running
    while (waiting.first !== undefined) this.aborted(waiting.first, error)
    while (this.#fallingBack.first !== undefined) this.aborted(this.#fallingBack.first, error)
    this.#running.clear()
    this.#watch?.end()
  }

  watched(call: Call<unknown>): void {
    if (call.stage !== 'running' || call.listed) return
    if (this.#disposed) call.abortWork(this.#refusals.disposed())
    else this.#list(call)
  }

  expired(call: Call<unknown>, stalled: boolean): void {
    call.listed = false
    const now = this.#now()
    const error = this.#refusals.timeout(this.#settings.timeout)
    if (call.stage === 'queued') this.#expireQueued(call, stalled, now)
    else {
      this.#settle(call, placeOf.TIMEOUT, stalled ? 'ignore' : 'failure', now)
      call.abortWork(error)
    }
    this.#fallBack(call, error, now)
  }

  // True where its work is to be run now. Where not, it waits, or will have its answer a turn later.
  #enter(call: Call<unknown>): boolean {
    const now = this.#now()
    const { signal } = call.options
    if ((signal !== undefined || this.#disposed) && !this.#mayBegin(call, signal, now)) return false
    const bulkhead = this.#bulkhead
    const placed =
      bulkhead === undefined ||
      (this.#circuit.isClosed && bulkhead.enter()) ||
      this.#findPlace(bulkhead, call, now)
    return placed && this.#admit(call, now)
  }

  #mayBegin(call: Call<unknown>, signal: AbortSignal | undefined, now: number): boolean {
    call.startedAt = now
    if (this.#disposed) this.#answers.fail(call, this.#refusals.disposed(), now)
    else if (signal !== undefined && !isAbortSignal(signal))
      this.#answers.fail(call, signalFault(signal), now)
    else if (signal?.aborted === true) this.aborted(call, signal.reason)
    else {
      if (signal !== undefined) call.watch(signal)
      return true
    }
    return false
  }

  // An open circuit refuses before a full bulkhead does.
  #findPlace(bulkhead: Bulkhead<Call<unknown>>, call: Call<unknown>, now: number): boolean {
    const refusal = this.#circuit.refusal(now)
    if (refusal !== undefined) this.#shortCircuit(call, refusal, now)
    else if (bulkhead.enter()) return true
    else if (bulkhead.wait(call)) {
      const timed = this.#settings.bulkhead?.timesQueue === true
      call.stage = 'queued'
      call.queued = { at: now, generation: this.#circuit.generation, timed }
      this.#metrics.queued++
      if (timed) this.#list(call)
    } else this.#rejectFull(call, now)
    return false
  }

  // The call has its place.
  #admit(call: Call<unknown>, now: number): boolean {
    const refusal = this.#circuit.admit(call, now)
    if (refusal !== undefined) {
      this.#unlist(call)
      this.#shortCircuit(call, refusal, now)
      this.#leave()
      return false
    }
    if (call.isProbe || this.#settings.circuit.slow !== undefined) this.#watch?.begin(now)
    call.stage = 'running'
    this.#metrics.running++
    return true
  }

  #run(call: Call<unknown>): void {
    const { work } = call
    if (!call.listed) this.#list(call)
    try {
      const result = work(call)
      if (result === underWay) return
      if (!isThenable(result)) return this.succeeded(call, result)
      ownPromise(result).then(
        (value: unknown) => this.succeeded(call, value),
        (error: unknown) => this.failed(call, error),
      )
    } catch (error) {
      this.failed(call, error)
    }
  }

  #list(call: Call<unknown>): void {
    call.listed = true
    this.#running.add(call)
  }

  #unlist(call: Call<unknown>): void {
    if (!call.listed) return
    call.listed = false
    this.#running.delete(call)
  }

  // Nothing but its work ends the call: its answer is the promise of the work, continued, and no other one is made.
  #runAlone<T>(call: Call<T>, work: Work<T>): Promise<T> {
    let promise: Promise<T>
    try {
      const result = work(call)
      promise = ownPromise(result)
    } catch (error) {
      promise = Promise.reject(error)
    }
    return promise.then(
      (value) => {
        if (call.stage === 'running') this.#completed(call)
        return value
      },
      (error: unknown) => this.#failedAlone(call, error),
    )
  }

  #failedAlone<T>(call: Call<T>, error: unknown): Promise<T> {
    return new Promise((succeed, fail) => {
      call.sink = { succeed, fail }
      if (call.stage === 'running') this.failed(call, error)
      else fail(error)
    })
  }

  succeeded(call: Call<unknown>, value: unknown): void {
    if (call.stage !== 'running') return
    this.#completed(call)
    call.sink.succeed(value)
  }

  #completed(call: Call<unknown>): void {
    const now = this.#now()
    const { signal } = call.options
    if (call.listed) this.#unlist(call)
    this.#settle(call, placeOf.SUCCESS, 'success', now)
    call.stage = 'over'
    if (signal !== undefined) call.unwatch(signal)
    this.#metrics.answered(now, call)
    if (this.#emitter.hearsExecution) this.#emitter.executed(call, now, {})
  }

  failed(call: Call<unknown>, error: unknown): void {
    if (call.stage !== 'running') return
    const now = this.#now()
    const counts = this.#isFailure(error)
    this.#unlist(call)
    this.#settle(call, counts ? placeOf.FAILURE : placeOf.BAD_REQUEST, counts ? 'failure' : 'ignore', now)
    if (counts) this.#fallBack(call, error, now)
    else this.#answers.fail(call, error, now)
  }

  #isFailure(error: unknown): boolean {
    const { isFailure } = this.#settings
    if (isFailure === undefined) return true
    try {
      return isFailure(error)
    } catch (thrown) {
      this.#emitter.report(thrown)
      return true
    }
  }

  #quitQueue(call: Call<unknown>): void {
    this.#bulkhead?.remove(call)
    this.#metrics.queued--
    this.#unlist(call)
  }

  // Of what has changed the circuit since, its time in the queue tells nothing.
  #expireQueued(call: Call<unknown>, stalled: boolean, now: number): void {
    this.#quitQueue(call)
    call.outcome = placeOf.TIMEOUT
    this.#metrics.count(now, placeOf.TIMEOUT)
    const counts = this.#settings.circuit.rejectionsCount && !stalled
    if (counts && call.queued?.generation === this.#circuit.generation) this.#circuit.rejected(now)
  }

  // Before the caller is answered: what it does next finds the circuit as its call left it, and its place free.
  #settle(call: Call<unknown>, event: number, outcome: Outcome, now: number): void {
    call.outcome = event
    if (call.queued !== undefined || (event !== placeOf.SUCCESS && call.options.fallback !== undefined))
      this.#metrics.separateTotal(now)
    this.#metrics.end(now, call.startedAt, event)
    this.#circuit.settle(call, outcome, now)
    if (call.isProbe && this.#metrics.running === 0) this.#watch?.end()
    this.#leave()
  }

  #shortCircuit(call: Call<unknown>, refusal: Refusal, now: number): void {
    this.#refuse(call, placeOf.SHORT_CIRCUITED, this.#refusals.circuitOpen(refusal), now)
  }

  #rejectFull(call: Call<unknown>, now: number): void {
    const { running, queued } = this.#metrics
    if (this.#settings.circuit.rejectionsCount) this.#circuit.rejected(now)
    const pooled = this.#settings.bulkhead?.isolation === 'THREAD'
    const event = pooled ? placeOf.THREAD_POOL_REJECTED : placeOf.SEMAPHORE_REJECTED
    this.#refuse(call, event, this.#refusals.bulkheadFull(running, queued), now)
  }

  #refuse(call: Call<unknown>, event: number, error: ResilienceError, now: number): void {
    call.outcome = event
    if (call.queued === undefined) call.startedAt = now
    this.#metrics.count(now, event)
    this.#emitter.emit('reject', () => ({
      name: this.#settings.name,
      code: event === placeOf.SHORT_CIRCUITED ? 'CIRCUIT_OPEN' : 'BULKHEAD_FULL',
    }))
    this.#fallBack(call, error, now)
  }

  #fallBack(call: Call<unknown>, error: unknown, now: number): void {
    const { fallback, fallbackMax = this.#settings.fallbackMax } = call.options
    if (fallback === false) {
      this.#metrics.count(now, placeOf.FALLBACK_DISABLED)
      return this.#answers.fail(call, error, now)
    }
    if (fallback === undefined) return this.#answers.fail(call, error, now, placeOf.FALLBACK_MISSING)
    const running = this.#fallingBack.size
    if (running >= fallbackMax)
      return this.#answers.fail(
        call,
        this.#refusals.fallbackRejected(running, error),
        now,
        placeOf.FALLBACK_REJECTION,
      )
    call.stage = 'fallback'
    this.#fallingBack.push(call)
    follow(
      () => fallback(error),
      (value) => this.#fellBack(call, value),
      (thrown) => this.#fallbackFailed(call, error, thrown),
    )
  }

  #fellBack(call: Call<unknown>, value: unknown): void {
    if (call.stage !== 'fallback') return
    this.#fallingBack.remove(call)
    this.#answers.succeed(call, value, this.#now(), placeOf.FALLBACK_SUCCESS)
  }

  #fallbackFailed(call: Call<unknown>, error: unknown, thrown: unknown): void {
    if (call.stage !== 'fallback') return
    this.#fallingBack.remove(call)
    this.#answers.fail(
      call,
      this.#refusals.fallbackFailed(error, thrown),
      this.#now(),
      placeOf.FALLBACK_FAILURE,
    )
  }

  aborted(call: Call<unknown>, reason: unknown): void {
    const now = this.#now()
    const { stage } = call
    if (stage === 'over') return
    if (stage === 'fallback') {
      this.#fallingBack.remove(call)
      return this.#answers.fail(call, reason, now, placeOf.CANCELLED)
    }
    if (stage === 'running') {
      this.#unlist(call)
      this.#settle(call, placeOf.CANCELLED, 'ignore', now)
      call.abortWork(reason)
    } else {
      if (stage === 'queued') this.#quitQueue(call)
      call.outcome = placeOf.CANCELLED
      this.#metrics.count(now, placeOf.CANCELLED)
    }
    this.#answers.fail(call, reason, now)
  }

  // In a loop: work that ends at once would else begin the next one on the stack of the one before.
  #leave(): void {
    const bulkhead = this.#bulkhead
    if (bulkhead === undefined) return
    if (bulkhead.queued === 0) bulkhead.leave()
    else this.#handOn(bulkhead)
  }

  #handOn(bulkhead: Bulkhead<Call<unknown>>): void {
    this.#placesFreed++
    if (this.#filling) return
    this.#filling = true
    while (this.#placesFreed > 0) {
      this.#placesFreed--
      const next = bulkhead.leave()
      if (next === undefined) continue
      const now = this.#now()
      if (next.listed && this.#running.endIfOver(next, now)) {
        this.#placesFreed++
        continue
      }
      this.#metrics.queued--
      if (this.#admit(next, now)) this.#run(next)
    }
    this.#filling = false
  }

  #now(): number {
    return this.#settings.clock.monotonic()
  }
}
