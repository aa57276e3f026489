import type { Threshold } from './judge.ts'
import type { Permit } from './permit.ts'
import type { State } from './settings.ts'
import type { Counts } from './window/window.ts'

export type Outcome = 'success' | 'failure' | 'ignore'

/** Why a state was left. */
export type TransitionReason =
  | Threshold
  | 'consecutive-failures'
  | 'wait-over'
  | 'probes-succeeded'
  | 'probes-failed'
  | 'half-open-too-long'
  | 'tripped'
  | 'forced'
  | 'reset'
  | 'restored'
  | 'fleet'

export interface Transition {
  readonly from: State
  readonly to: State
  readonly reason: TransitionReason
  /** The one that begins. */
  readonly generation: number
  /** Monotonic milliseconds: when it was due, which can be before anybody looked. */
  readonly at: number
}

/** Told after the state has changed. What it throws is its caller's: give one that does not throw. */
export interface CircuitObserver {
  transition?(transition: Transition): void
  /** An outcome of an older generation, which changed nothing. */
  late?(permit: Permit, outcome: Outcome): void
  /** A rate was reached while `metrics-only`; once for each threshold and generation. */
  thresholdReached?(threshold: Threshold, counts: Counts): void
}
