import type { Call } from './call.ts'
import type { CircuitObserver, Outcome, Transition } from './circuit-observer.ts'
import { Emitter } from './emitter.ts'
import { type BreakerEvents, breakerChannels, executionChannel } from './events.ts'
import type { Threshold } from './judge.ts'
import type { LagObserver } from './local-fault/loop-guard.ts'
import type { Permit } from './permit.ts'
import type { Counts } from './window/window.ts'

/** The events of a breaker, and what its circuit tells. */
export class BreakerEmitter extends Emitter<BreakerEvents> implements CircuitObserver, LagObserver {
  readonly #name: string
  #laggedAt = -Infinity
  #reporting = false

  constructor(name: string) {
    super(breakerChannels)
    this.#name = name
  }

  get hearsExecution(): boolean {
    return executionChannel.hasSubscribers || (this.listened && this.hears('execution'))
  }

  transition(transition: Transition): void {
    this.emit('stateChange', () => ({ name: this.#name, ...transition }))
  }

  late(_permit: Permit, outcome: Outcome): void {
    this.emit('late', () => ({ name: this.#name, outcome }))
  }

  thresholdReached(threshold: Threshold, counts: Counts): void {
    this.emit('threshold', () => ({ name: this.#name, threshold, counts }))
  }

  executed(
    { events, arrivedAt }: Pick<Call<unknown>, 'events' | 'arrivedAt'>,
    now: number,
    failed: { readonly error?: unknown },
  ): void {
    const duration = Math.max(0, now - arrivedAt)
    this.emit('execution', () => ({ name: this.#name, events, duration, ...failed }))
  }

  /** The process stood still: seen by the timer of the time limit, by the beat of the watch, or by both, and told once. */
  lagged(lag: number, pending: number, now: number): void {
    if (now - this.#laggedAt < lag) return
    this.#laggedAt = now
    this.emit('lag', () => ({ name: this.#name, lag, pending }))
  }

  /** What `isFailure` threw; nothing happens where nobody listens, for the call counts as failed then. */
  report(error: unknown): void {
    this.emit('error', () => ({ name: this.#name, error }))
  }

  // Once: what a listener to errors throws is an uncaught exception, as all is where there is none.
  protected override thrown(error: unknown): void {
    if (this.#reporting || !this.hears('error')) {
      super.thrown(error)
      return
    }
    this.#reporting = true
    this.report(error)
    this.#reporting = false
  }
}
