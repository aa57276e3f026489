import type { CircuitObserver, Outcome, Transition, TransitionReason } from './circuit-observer.ts'
import { InvalidOptionError, ResilienceError, shown } from './errors.ts'
import { HalfOpen } from './half-open.ts'
import { reached, type Threshold } from './judge.ts'
import type { Stalls } from './local-fault/loop-watch.ts'
import { Permit, type PermitFields } from './permit.ts'
import type { CircuitSettings, ForcedState, State } from './settings.ts'
import { type CircuitSnapshot, readSnapshot } from './snapshot.ts'
import { makeWindow } from './window/make-window.ts'
import { type Counts, noCounts, type OutcomeWindow } from './window/window.ts'

/** Whether a probe may begin at `now`. It must not throw, nor call the circuit. */
export type ProbeGate = (now: number) => boolean

export interface Refusal {
  readonly state: State
  /** Milliseconds until a call may get through; undefined where nobody knows. */
  readonly retryAfter: number | undefined
}

/**
 * The state machine of a circuit breaker. It knows no clock: every operation takes the monotonic time in milliseconds,
 * and first does what was due before it. Every transition begins a generation; an outcome whose permit is of an older
 * one changes nothing.
 *
 * States and their order: Nygard, Release It!, 2007; Hystrix's HystrixCircuitBreaker; the generation check of
 * sony/gobreaker.
 */
export class Circuit {
  readonly #settings: CircuitSettings
  readonly #observer: CircuitObserver
  readonly #stalls: Stalls | undefined
  // Made with the first outcome.
  #window: OutcomeWindow | undefined
  readonly #volume: number
  #told: Set<Threshold> | undefined
  #pending: Transition[] | undefined
  #state: State
  #generation = 0
  #run = 0
  #attempt = 0
  #waitEnds = 0
  #halfOpen: HalfOpen | undefined
  #gate: ProbeGate | undefined

  /** What `stalls` tells of is part of no lease, and makes no call slow. */
  constructor(settings: CircuitSettings, observer: CircuitObserver = {}, stalls?: Stalls) {
    const { window, volumeThreshold, initial } = settings
    this.#settings = settings
    this.#observer = observer
    this.#stalls = stalls
    this.#volume = window?.type === 'count' ? Math.min(volumeThreshold, window.size) : volumeThreshold
    this.#state = initial
  }

  /** Counted up by every transition. */
  get generation(): number {
    return this.#generation
  }

  /** @internal Whether nothing stands in the way of a call. While it is closed nothing is ever due. */
  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** The state at `now`. `open` stays until a call is let through, unless it half-opens by itself. */
  state(now: number): State {
    this.advance(now)
    return this.#state
  }

  counts(now: number): Counts {
    return this.#window?.counts(now) ?? noCounts
  }

  /** Probes out at `now`. */
  probesOut(now: number): number {
    this.advance(now)
    return this.#halfOpen?.out ?? 0
  }

  /** Leave for one call, or why not. */
  acquire(now: number): Permit | Refusal {
    const permit = new Permit()
    return this.admit(permit, now) ?? permit
  }

  /** @internal {@link Circuit.acquire}, into a permit that was never given; undefined where it is given. */
  admit(permit: PermitFields, now: number): Refusal | undefined {
    if (this.#state !== 'closed') return this.#admitUnlessOpen(permit, now)
    permit.generation = this.#generation
    permit.startedAt = now
    return undefined
  }

  /** Why {@link Circuit.acquire} would not let a call through; undefined where it would. No probe is taken. */
  refusal(now: number): Refusal | undefined {
    if (this.#state === 'closed') return undefined
    this.advance(now)
    const state = this.#state
    if (state === 'forced-open') return { state, retryAfter: undefined }
    if (state === 'open') return this.#waitOver(now) ? undefined : { state, retryAfter: this.#waitLeft(now) }
    if (state !== 'half-open' || this.#halfOpen?.admits === true) return undefined
    return { state, retryAfter: this.#halfOpen?.wait(now) }
  }

  /** Counts a failure of a call that got no place to run in, and so had no permit. Only where closed circuits count. */
  rejected(now: number): void {
    this.advance(now)
    if (this.#state !== 'open' && this.#state !== 'half-open') this.#count(true, false, now)
    this.#tell()
  }

  /**
   * What became of a call. `ignore` gives the permit back uncounted. `duration` in milliseconds decides whether it was
   * slow. A permit settles once; a second time, as late as its lease, changes nothing.
   */
  settle(permit: Permit, outcome: Outcome, now: number, duration: number = now - permit.startedAt): void {
    if (this.#state !== 'closed') this.advance(now)
    if (permit.settled) return
    permit.settled = true
    if (permit.generation !== this.#generation) this.#observer.late?.(permit, outcome)
    else if (permit.isProbe) this.#settleProbe(permit, outcome, this.#isSlow(duration, now), now)
    else if (outcome !== 'ignore') this.#count(outcome === 'failure', this.#isSlow(duration, now), now)
    this.#tell()
  }

  /** Opens a closed or half-open circuit on the word of whoever calls, as a threshold would. Else nothing happens. */
  trip(now: number): void {
    this.advance(now)
    if (this.#state === 'closed' || this.#state === 'half-open') this.#toOpen('tripped', now)
    this.#tell()
  }

  /**
   * Into a forced state, with a new generation and an empty window, whatever the state was.
   *
   * @throws InvalidOptionError where there is no such state.
   */
  force(state: ForcedState, now: number): void {
    if (!forcedStates.includes(state))
      throw new InvalidOptionError(`state must be one of ${forcedStates.join(', ')}, not ${shown(state)}`)
    this.advance(now)
    this.#attempt = 0
    this.#enter(state === 'forced-closed' ? this.#settings.forcedClosed : state, 'forced', now)
    this.#tell()
  }

  /** Closed and empty, whatever the state was. */
  reset(now: number): void {
    this.advance(now)
    this.#attempt = 0
    this.#enter('closed', 'reset', now)
    this.#tell()
  }

  /** From now on `gate` is asked before each probe, once the wait is over; undefined for none. */
  gateProbes(gate: ProbeGate | undefined): void {
    this.#gate = gate
  }

  /**
   * Opens, for `wait` milliseconds and as the `attempt`-th time in a row, because others did; where it is open, only
   * these two change. A forced state stays.
   */
  openWithFleet(wait: number, attempt: number, now: number): void {
    this.advance(now)
    if (this.#state !== 'open' && this.#state !== 'half-open' && this.#state !== 'closed') return
    if (this.#state !== 'open') this.#enter('open', 'fleet', now)
    this.#attempt = attempt
    this.#waitEnds = now + wait
    this.#tell()
  }

  /** Closes, because others did. A forced state stays. */
  closeWithFleet(now: number): void {
    this.advance(now)
    if (this.#state === 'open' || this.#state === 'half-open') this.#toClosed('fleet', now)
    this.#tell()
  }

  /** Does what was due up to `now`: leases and states that end by themselves, in the order of their times. */
  advance(now: number): void {
    while (true) {
      if (this.#state === 'open' && this.#settings.autoHalfOpen && this.#waitEnds <= now) {
        this.#toHalfOpen(this.#waitEnds)
        continue
      }
      const due = this.#halfOpen?.due(now)
      if (due === undefined) break
      if (due.expired === undefined) this.#endHalfOpen(this.#skipCycles(due.at, now))
      else {
        due.expired.settled = true
        this.#settleProbe(due.expired, 'failure', this.#isSlow(this.#settings.probeTimeout, due.at), due.at)
      }
    }
    this.#tell()
  }

  /** All that is needed to go on elsewhere, but for the probes that are out: half-open is saved as open, its wait over. */
  snapshot(now: number): CircuitSnapshot {
    const state = this.state(now)
    const open = state === 'open' || state === 'half-open'
    return {
      version: 1,
      state: state === 'half-open' ? 'open' : state,
      generation: this.#generation,
      attempt: this.#attempt,
      waitLeft: state === 'open' ? this.#waitLeft(now) : 0,
      failuresInARow: this.#run,
      window: open ? [] : [...(this.#window?.save(now) ?? [])],
    }
  }

  /**
   * Goes on from a snapshot that was taken `age` milliseconds ago. Permits given before are late.
   *
   * @throws ResilienceError `INVALID_SNAPSHOT`, and nothing has changed.
   */
  restore(snapshot: unknown, now: number, age = 0): void {
    const saved = readSnapshot(snapshot)
    this.advance(now)
    if (!(this.#openWindow()?.load(saved.window, now) ?? saved.window.length === 0)) {
      throw new ResilienceError(
        'INVALID_SNAPSHOT',
        `The snapshot's window of ${shown(saved.window.length)} numbers is not of this circuit's shape: restore it with the options it was taken with`,
      )
    }
    this.#generation = Math.max(this.#generation, saved.generation)
    this.#enter(saved.state, 'restored', now, { keepWindow: true })
    this.#attempt = saved.attempt
    this.#run = saved.failuresInARow
    this.#waitEnds = now + Math.max(0, saved.waitLeft - (age > 0 ? age : 0))
    this.#tell()
  }

  #admitUnlessOpen(permit: PermitFields, now: number): Refusal | undefined {
    this.advance(now)
    if (this.#state === 'open' && this.#waitOver(now) && this.#probeMayBegin(now)) this.#toHalfOpen(now)
    const refusal = this.#give(permit, now)
    this.#tell()
    return refusal
  }

  #give(permit: PermitFields, now: number): Refusal | undefined {
    const state = this.#state
    if (state === 'open') return { state, retryAfter: this.#waitLeft(now) }
    if (state === 'forced-open') return { state, retryAfter: undefined }
    const halfOpen = this.#halfOpen
    if (halfOpen !== undefined && !(halfOpen.admits && this.#probeMayBegin(now)))
      return { state, retryAfter: halfOpen.wait(now) }
    permit.generation = this.#generation
    permit.startedAt = now
    permit.isProbe = halfOpen !== undefined
    halfOpen?.issue(permit)
    return undefined
  }

  #settleProbe(probe: PermitFields, outcome: Outcome, slow: boolean, at: number): void {
    if (outcome === 'ignore') {
      this.#halfOpen?.giveBack(probe)
      return
    }
    const verdict = this.#halfOpen?.record(probe, outcome === 'failure', slow)
    if (verdict === 'open') this.#toOpen('probes-failed', at)
    else if (verdict === 'closed') this.#toClosed('probes-succeeded', at)
  }

  #count(failed: boolean, slow: boolean, now: number): void {
    if (this.#state === 'disabled') return
    this.#run = failed ? this.#run + 1 : 0
    const counts = (this.#window ?? this.#openWindow())?.record(now, failed, slow)
    if (this.#state === 'forced-closed') return
    const threshold = counts && reached(this.#settings, counts, this.#volume)
    if (counts !== undefined && threshold !== undefined) {
      if (this.#state === 'closed') this.#toOpen(threshold, now)
      else this.#tellThreshold(threshold, { ...counts })
      return
    }
    const { consecutive } = this.#settings
    if (this.#state === 'closed' && consecutive !== undefined && this.#run >= consecutive)
      this.#toOpen('consecutive-failures', now)
  }

  #openWindow(): OutcomeWindow | undefined {
    const { window } = this.#settings
    if (window !== undefined) this.#window ??= makeWindow(window)
    return this.#window
  }

  #tellThreshold(threshold: Threshold, counts: Counts): void {
    if (this.#told?.has(threshold) === true) return
    this.#told ??= new Set()
    this.#told.add(threshold)
    this.#observer.thresholdReached?.(threshold, counts)
  }

  // Where nobody looked for long, the circuit has opened and half-opened by itself again and again: all but the last time
  // is one step, once the wait grows no longer.
  #skipCycles(at: number, now: number): number {
    const { autoHalfOpen, afterHalfOpenMax, halfOpenMax, openFor } = this.#settings
    if (!autoHalfOpen || afterHalfOpenMax !== 'open') return at
    const wait = openFor(this.#attempt + 1)
    const cycles = Math.floor((now - at) / (wait + halfOpenMax))
    if (cycles < 1 || wait !== openFor(this.#attempt + 2)) return at
    this.#attempt += cycles
    this.#generation += 2 * cycles
    return at + cycles * (wait + halfOpenMax)
  }

  #endHalfOpen(at: number): void {
    if (this.#settings.afterHalfOpenMax === 'open') this.#toOpen('half-open-too-long', at)
    else this.#toClosed('half-open-too-long', at)
  }

  #toOpen(reason: TransitionReason, at: number): void {
    this.#attempt++
    this.#waitEnds = at + this.#settings.openFor(this.#attempt)
    this.#enter('open', reason, at)
  }

  #toHalfOpen(at: number): void {
    this.#enter('half-open', 'wait-over', at)
    this.#halfOpen = new HalfOpen(this.#settings, at, this.#stalls)
  }

  #toClosed(reason: TransitionReason, at: number): void {
    this.#attempt = 0
    this.#enter('closed', reason, at)
  }

  #enter(to: State, reason: TransitionReason, at: number, { keepWindow = false } = {}): void {
    this.#pending ??= []
    this.#pending.push({ from: this.#state, to, reason, generation: ++this.#generation, at })
    this.#state = to
    this.#halfOpen = undefined
    this.#told?.clear()
    this.#run = 0
    if (!keepWindow) this.#window?.clear()
  }

  // After the mutation, so that an observer that calls back sees the new state.
  #tell(): void {
    if (this.#pending !== undefined) this.#tellPending(this.#pending)
  }

  #tellPending(pending: readonly Transition[]): void {
    this.#pending = undefined
    for (const transition of pending) this.#observer.transition?.(transition)
  }

  #probeMayBegin(now: number): boolean {
    return this.#gate === undefined || this.#gate(now)
  }

  #waitLeft(now: number): number {
    return Math.max(0, this.#waitEnds - now)
  }

  #waitOver(now: number): boolean {
    return this.#settings.wait === 'after' ? now > this.#waitEnds : now >= this.#waitEnds
  }

  #isSlow(duration: number, now: number): boolean {
    const { slow } = this.#settings
    if (slow === undefined || duration <= slow.over) return false
    return duration - (this.#stalls?.between(now - duration, now) ?? 0) > slow.over
  }
}

const forcedStates: readonly ForcedState[] = ['forced-open', 'forced-closed', 'metrics-only', 'disabled']
