import { Circuit } from '../../circuit.ts'
import type { Transition } from '../../circuit-observer.ts'
import { baseSettings } from '../../circuit-options.ts'
import { Permit } from '../../permit.ts'
import type { State as CircuitState } from '../../settings.ts'
import { ErrorRate } from './error-rate.ts'
import type { Settings, State } from './options.ts'
import type { Status } from './status.ts'
import { type Cancel, clock, wakeAt } from './timers.ts'

const leaseSlack = 1000

/** The circuit with opossum's time and rule: it half-opens by a timer, and opens by failures of fires. */
export class TimedCircuit {
  readonly #options: Settings<never>
  readonly #circuit: Circuit
  readonly #rate: ErrorRate
  readonly #entered: (state: CircuitState) => void
  #openedAt: number | undefined
  #cancelWake: Cancel | undefined
  #stopped = false

  /** `entered` is called after each change of state. */
  constructor(options: Settings<never>, status: Status, entered: (state: CircuitState) => void) {
    this.#options = options
    this.#rate = new ErrorRate(status)
    this.#entered = entered
    const settings = {
      ...baseSettings,
      window: undefined,
      autoHalfOpen: true,
      openFor: () => this.#openFor,
      probeTimeout: this.#lease,
    }
    this.#circuit = new Circuit(settings, { transition: (transition) => this.#changed(transition) })
  }

  get state(): CircuitState {
    return this.#circuit.state(clock.monotonic())
  }

  /** Half-open, and its probe not yet out. */
  get awaitsProbe(): boolean {
    return this.state === 'half-open' && this.#circuit.probesOut(clock.monotonic()) === 0
  }

  /** Wall-clock milliseconds at which it opened last. */
  get openedAt(): number | undefined {
    return this.#openedAt
  }

  /** Only where it is closed, or awaits its probe. */
  acquire(): Permit | undefined {
    const answer = this.#circuit.acquire(clock.monotonic())
    if (!(answer instanceof Permit)) return undefined
    if (answer.kind === 'probe') this.#wakeAt(answer.startedAt + this.#lease)
    return answer
  }

  succeeded(permit: Permit): void {
    this.#circuit.settle(permit, 'success', clock.monotonic())
  }

  /** The status has just counted a failure: it is left out of the rate where it comes late. */
  failureCounted(permit: Permit | undefined): void {
    if (this.#isLate(permit)) this.#rate.leaveOutFailure()
  }

  /** A call failed, or found no place and has no permit. `warmUp`: only a probe may open. */
  failed(permit: Permit | undefined, warmUp: boolean): void {
    const late = this.#isLate(permit)
    if (permit !== undefined) this.#circuit.settle(permit, 'failure', clock.monotonic())
    if (late || warmUp || this.#stopped || this.state !== 'closed') return
    const { errorThresholdPercentage, volumeThreshold } = this.#options
    if (this.#rate.exceeds(errorThresholdPercentage, volumeThreshold)) this.open()
  }

  open(): void {
    this.#circuit.trip(clock.monotonic())
  }

  close(): void {
    if (this.state !== 'closed') this.#circuit.reset(clock.monotonic())
  }

  /** Goes on from what another one was. An open circuit stays open for what is left. */
  restore({ closed, halfOpen, lastTimerAt }: Partial<State>): void {
    if (closed !== false) return
    const now = clock.monotonic()
    const age = halfOpen ? Infinity : clock.now() - (lastTimerAt ?? clock.now())
    const waitLeft = Math.max(0, this.#openFor - Math.max(0, age))
    this.#circuit.restore(
      { version: 1, state: 'open', generation: 0, attempt: 1, waitLeft, failuresInARow: 0, window: [] },
      now,
    )
    this.#openedAt = lastTimerAt ?? this.#openedAt
    this.#wakeAt(now + waitLeft)
    this.#circuit.advance(now)
  }

  /** No timer is left, and nothing opens it again. */
  stop(): void {
    this.#stopped = true
    this.#cancelWake?.()
  }

  // As a timer would: at least 1 ms.
  get #openFor(): number {
    return Math.max(1, this.#options.resetTimeout)
  }

  // Longer than the time limit, which ends a probe first.
  get #lease(): number {
    const { timeout } = this.#options
    return timeout ? Math.max(timeout + leaseSlack, this.#openFor) : this.#openFor
  }

  #isLate(permit: Permit | undefined): boolean {
    this.#circuit.advance(clock.monotonic())
    return permit !== undefined && permit.generation !== this.#circuit.generation
  }

  #changed({ to, at }: Transition): void {
    this.#cancelWake?.()
    if (this.#stopped) return
    if (to === 'open') {
      this.#openedAt = clock.now() - Math.round(clock.monotonic() - at)
      this.#wakeAt(at + this.#openFor)
    } else if (to === 'closed') this.#rate.forget()
    this.#entered(to)
  }

  #wakeAt(at: number): void {
    this.#cancelWake?.()
    this.#cancelWake = wakeAt(at, () => this.#circuit.advance(clock.monotonic()))
  }
}
