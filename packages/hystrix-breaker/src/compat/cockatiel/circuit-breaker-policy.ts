import { Circuit } from '../../circuit.ts'
import type { Transition } from '../../circuit-observer.ts'
import { baseSettings } from '../../circuit-options.ts'
import { InvalidOptionError, shown } from '../../errors.ts'
import { checkNumber } from '../../option-checks.ts'
import { Permit } from '../../permit.ts'
import { realClock } from '../../ports.ts'
import type { IBackoffFactory } from './backoff.ts'
import { BreakDurations, type IHalfOpenAfterBackoffContext } from './break-durations.ts'
import type { IBreaker } from './breaker.ts'
import type { ContextFields } from './call-context.ts'
import { type CallSignal, callSignal } from './call-signal.ts'
import { CircuitState } from './circuit-state.ts'
import {
  BrokenCircuitError,
  HydratingCircuitError,
  IsolatedCircuitError,
  TaskCancelledError,
} from './errors.ts'
import { type Event, EventEmitter, throwOutside } from './event.ts'
import { GuardedPolicy, run, type Step } from './guarded-policy.ts'
import { halfOpenProbes, type IHalfOpenSamplingOptions } from './half-open-sampling.ts'
import type { FailureReason, Settled } from './outcome.ts'
import type { IFailureEvent, ISuccessEvent, OutcomeFilter, Verdict } from './outcome-filter.ts'
import { type OwnState, readOwnState, savedBreakerState } from './own-state.ts'
import { WaitingCalls } from './waiting-calls.ts'

export interface ICircuitBreakerOptions {
  breaker: IBreaker
  /** Milliseconds that it stays open, or a backoff that gives them. */
  halfOpenAfter: number | IBackoffFactory<IHalfOpenAfterBackoffContext>
  /** Default: one call, which must succeed. */
  halfOpenSampling?: IHalfOpenSamplingOptions
  /** What {@link CircuitBreakerPolicy.toJSON} gave. */
  initialState?: unknown
  /**
   * Not of cockatiel. Milliseconds after which a call that a half-open circuit let through counts as failed, so that one
   * that hangs cannot hold the circuit; Infinity for never. Default 60,000.
   */
  probeTimeout?: number
}

/** Refuses calls for a while after too many have failed. */
export class CircuitBreakerPolicy extends GuardedPolicy {
  readonly #breaker: IBreaker
  readonly #filter: OutcomeFilter
  readonly #circuit: Circuit
  readonly #durations: BreakDurations
  readonly #probeTimeout: number
  readonly #waiting = new WaitingCalls()
  readonly #break = new EventEmitter<FailureReason<unknown> | { isolated: true }>()
  readonly #reset = new EventEmitter<void>()
  readonly #halfOpen = new EventEmitter<void>()
  readonly #stateChange = new EventEmitter<CircuitState>()
  // What opens the circuit, while it does; else what a hanging probe would open it with.
  #cause: { readonly result: FailureReason<unknown>; readonly signal: CallSignal } | undefined
  #lastFailure: FailureReason<unknown> | undefined
  // Wall-clock milliseconds.
  #openedAt = 0
  #isolations = 0
  readonly onSuccess: Event<ISuccessEvent>
  readonly onFailure: Event<IFailureEvent>
  /** The circuit opened, or was isolated. */
  readonly onBreak: Event<FailureReason<unknown> | { isolated: true }> = this.#break.addListener
  /** The circuit closed. */
  readonly onReset: Event<void> = this.#reset.addListener
  readonly onHalfOpen: Event<void> = this.#halfOpen.addListener
  readonly onStateChange: Event<CircuitState> = this.#stateChange.addListener

  /** @throws InvalidOptionError naming the option; ResilienceError `INVALID_SNAPSHOT` for an `initialState` of another kind. */
  constructor(options: ICircuitBreakerOptions, filter: OutcomeFilter) {
    super()
    const { breaker, halfOpenAfter, halfOpenSampling, initialState, probeTimeout = 60_000 } = options
    this.#breaker = checkBreaker(breaker)
    this.#filter = filter
    this.onSuccess = filter.onSuccess
    this.onFailure = filter.onFailure
    this.#durations = new BreakDurations(halfOpenAfter)
    this.#probeTimeout = checkNumber('probeTimeout', probeTimeout, 1, Infinity)
    const { probes, successes } = halfOpenProbes(halfOpenSampling)
    this.#circuit = new Circuit(
      {
        ...baseSettings,
        window: undefined,
        openFor: (attempt) => this.#openFor(attempt),
        probes,
        probeConcurrency: probes,
        successThreshold: successes,
        probeTimeout,
        halfOpen: 'all',
      },
      { transition: (transition) => this.#changed(transition) },
    )
    if (initialState !== undefined && initialState !== null) this.#restore(initialState)
  }

  get state(): CircuitState {
    return circuitStates[this.#circuit.state(realClock.monotonic())]
  }

  /** What the latest failure was that the policy handles. */
  get lastFailure(): FailureReason<unknown> | undefined {
    return this.#lastFailure
  }

  /** Refuses all calls until each handle that it gave is disposed of. */
  isolate(): { dispose: () => void } {
    if (this.#isolations++ === 0) this.#circuit.force('forced-open', realClock.monotonic())
    let disposed = false
    return {
      dispose: () => {
        if (disposed) return
        disposed = true
        if (--this.#isolations === 0) this.#circuit.reset(realClock.monotonic())
      },
    }
  }

  /** To go on elsewhere, as `initialState`: plain data. A half-open circuit is saved as open, its time over. */
  toJSON(): unknown {
    const state = this.state
    const { attempt } = this.#circuit.snapshot(realClock.monotonic())
    return { ownState: this.#ownState(state, attempt), breakerState: this.#breaker.state }
  }

  /** @internal */
  override [run]<T>(step: Step<T>, signal: CallSignal, fields: ContextFields, settled: Settled<T>): void {
    const answer = this.#circuit.acquire(realClock.monotonic())
    if (answer instanceof Permit) this.#begin(answer, step, signal, fields, settled)
    else if (answer.state === 'forced-open') settled({ error: new IsolatedCircuitError() })
    else if (answer.state === 'open') settled({ error: new BrokenCircuitError() })
    else {
      const waits = this.#waiting.add({
        signal,
        resume: () => this[run](step, signal, fields, settled),
        cancelled: () => settled({ error: new TaskCancelledError() }),
      })
      if (!waits) settled({ error: new BrokenCircuitError() })
      else if (answer.retryAfter !== undefined) this.#waiting.wakeIn(answer.retryAfter, () => this.state)
    }
  }

  #begin<T>(
    permit: Permit,
    step: Step<T>,
    signal: CallSignal,
    fields: ContextFields,
    settled: Settled<T>,
  ): void {
    const startedAt = this.#filter.begin()
    step(signal, fields, (ended) => {
      const verdict = this.#filter.judge(ended, startedAt)
      this.#settle(permit, verdict, signal)
      settled(verdict.outcome)
    })
  }

  #settle(permit: Permit, { is, outcome }: Verdict<unknown>, signal: CallSignal): void {
    // Only what a half-open circuit waits for is over by itself.
    if (permit.kind === 'probe') this.#circuit.advance(realClock.monotonic())
    // Of an earlier state of the circuit: it says nothing about this one.
    if (permit.generation !== this.#circuit.generation) return
    if (is === 'handled') {
      this.#lastFailure = outcome
      this.#cause = { result: outcome, signal }
    }
    if (permit.kind === 'probe') {
      this.#circuit.settle(permit, is === 'handled' ? 'failure' : 'success', realClock.monotonic())
    } else if (is === 'success') this.#tellBreaker(() => this.#breaker.success(CircuitState.Closed))
    else if (
      is === 'handled' &&
      this.#tellBreaker(() => this.#breaker.failure(CircuitState.Closed)) === true
    ) {
      this.#circuit.trip(realClock.monotonic())
    }
    this.#cause = undefined
  }

  // A breaker that throws has nothing to say.
  #tellBreaker<T>(tell: () => T): T | undefined {
    try {
      return tell()
    } catch (error) {
      throwOutside(error)
      return undefined
    }
  }

  #openFor(attempt: number): number {
    this.#cause ??= {
      result: {
        error: new TaskCancelledError(`A half-open call had not ended after ${this.#probeTimeout}ms`),
      },
      signal: callSignal(undefined),
    }
    return this.#durations.next(attempt, this.#cause.result, this.#cause.signal)
  }

  #changed({ from, to, reason, at }: Transition): void {
    if (reason === 'restored') return
    if (from === 'half-open') this.#decided(to)
    if (to === 'open') this.#opened(at)
    else if (to === 'forced-open') this.#break.emit({ isolated: true })
    else if (to === 'half-open') this.#halfOpen.emit()
    else this.#reset.emit()
    this.#stateChange.emit(circuitStates[to])
  }

  #decided(to: Transition['to']): void {
    if (to === 'open') this.#tellBreaker(() => this.#breaker.failure(CircuitState.HalfOpen))
    else if (to === 'closed') this.#tellBreaker(() => this.#breaker.success(CircuitState.HalfOpen))
    this.#waiting.resumeAll()
  }

  #opened(at: number): void {
    this.#openedAt = Math.round(realClock.now() - (realClock.monotonic() - at))
    if (this.#cause === undefined) return
    const { result } = this.#cause
    this.#cause = undefined
    this.#lastFailure = result
    this.#break.emit(result)
  }

  #ownState(state: CircuitState, attempt: number): OwnState {
    if (state === CircuitState.HalfOpen)
      return { value: CircuitState.Open, openedAt: 0, attemptNo: attempt + 1 }
    if (state === CircuitState.Open) return { value: state, openedAt: this.#openedAt, attemptNo: attempt }
    return state === CircuitState.Isolated ? { value: state, counters: this.#isolations } : { value: state }
  }

  #restore(initialState: unknown): void {
    const own = readOwnState(initialState)
    this.#breaker.state = savedBreakerState(initialState)
    const now = realClock.monotonic()
    if (own.value === CircuitState.Isolated) {
      this.#isolations = own.counters
      this.#circuit.restore({ ...savedCircuit, state: 'forced-open' }, now)
    } else if (own.value === CircuitState.Open) {
      const result = { error: new HydratingCircuitError() }
      this.#lastFailure = result
      this.#openedAt = own.openedAt
      let duration = 0
      for (let attempt = 1; attempt <= Math.min(own.attemptNo, replayMax); attempt++) {
        duration = this.#durations.next(attempt, result, callSignal(undefined))
      }
      const waitLeft = Math.max(0, duration - Math.max(0, realClock.now() - own.openedAt))
      this.#circuit.restore({ ...savedCircuit, state: 'open', attempt: own.attemptNo, waitLeft }, now)
    }
  }
}

// A backoff has reached its longest wait long before; a state that says billions must not hold the process up.
const replayMax = 10_000

const savedCircuit = {
  version: 1,
  state: 'closed',
  generation: 0,
  attempt: 0,
  waitLeft: 0,
  failuresInARow: 0,
  window: [],
} as const

const circuitStates: Readonly<Record<Transition['to'], CircuitState>> = {
  closed: CircuitState.Closed,
  open: CircuitState.Open,
  'half-open': CircuitState.HalfOpen,
  'forced-open': CircuitState.Isolated,
  'forced-closed': CircuitState.Closed,
  'metrics-only': CircuitState.Closed,
  disabled: CircuitState.Closed,
}

function checkBreaker(breaker: IBreaker): IBreaker {
  if (typeof breaker?.success === 'function' && typeof breaker.failure === 'function') return breaker
  throw new InvalidOptionError(
    `breaker must have the functions success and failure, not be ${shown(breaker)}`,
  )
}
