import { type Channel, channel } from 'node:diagnostics_channel'
import type { Outcome, Transition } from './circuit-observer.ts'
import type { Channels } from './emitter.ts'
import type { Threshold } from './judge.ts'
import type { CallEvent } from './metrics/call-event.ts'
import type { Counts } from './window/window.ts'

export interface StateChangeEvent extends Transition {
  readonly name: string
}

/** A call was refused by the circuit or the bulkhead. */
export interface RejectEvent {
  readonly name: string
  readonly code: 'CIRCUIT_OPEN' | 'BULKHEAD_FULL'
}

/** A call ended in an older generation than it was admitted in, and was not counted. */
export interface LateEvent {
  readonly name: string
  readonly outcome: Outcome
}

/** A rate was reached while the circuit only measures. */
export interface ThresholdEvent {
  readonly name: string
  readonly threshold: Threshold
  readonly counts: Counts
}

/**
 * `isFailure` threw (the call counted as failed), or a listener did. No call is the worse for it. Where nobody listens,
 * what a listener threw is an uncaught exception.
 */
export interface ErrorEvent {
  readonly name: string
  readonly error: unknown
}

/** A call is over. Made only where somebody listens. */
export interface ExecutionEvent {
  readonly name: string
  readonly events: readonly CallEvent[]
  /** Milliseconds that its caller waited. */
  readonly duration: number
  /** What its caller was rejected with. */
  readonly error?: unknown
}

/**
 * Our own process stood still: calls that timed out meanwhile are not counted as failed, and the time that it lasted makes
 * no call slow and is part of no probe's lease.
 */
export interface LagEvent {
  readonly name: string
  /** Milliseconds that a timer was late. */
  readonly lag: number
  /** Calls that were waiting. */
  readonly pending: number
}

/** Also published to the channels of `node:diagnostics_channel` below `loadbearing:hystrix-breaker:`. */
export interface BreakerEvents {
  stateChange: StateChangeEvent
  reject: RejectEvent
  late: LateEvent
  threshold: ThresholdEvent
  error: ErrorEvent
  execution: ExecutionEvent
  lag: LagEvent
}

/** Asked for each call, whether anybody listens. */
export const executionChannel: Channel = channel('loadbearing:hystrix-breaker:execution')

export const breakerChannels: Channels<BreakerEvents> = {
  stateChange: channel('loadbearing:hystrix-breaker:state-change'),
  reject: channel('loadbearing:hystrix-breaker:reject'),
  late: channel('loadbearing:hystrix-breaker:late'),
  threshold: channel('loadbearing:hystrix-breaker:threshold'),
  error: channel('loadbearing:hystrix-breaker:error'),
  execution: executionChannel,
  lag: channel('loadbearing:hystrix-breaker:lag'),
}
