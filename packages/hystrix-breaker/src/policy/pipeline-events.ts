import { channel } from 'node:diagnostics_channel'
import type { Channels } from '../emitter.ts'
import type { ResilienceErrorCode } from '../errors.ts'

/** A run goes into another attempt after `delay` milliseconds. */
export interface RetryEvent {
  readonly name: string
  /** Of the one to come; the first retry is 2. */
  readonly attempt: number
  readonly delay: number
  /** Of the last one; undefined where its result was refused. */
  readonly error: unknown
}

/** An extra attempt was started while others run, or after they failed. */
export interface HedgeEvent {
  readonly name: string
  /** The first extra one is 2. */
  readonly attempt: number
}

/** A policy refused a call. */
export interface RefusalEvent {
  readonly name: string
  readonly code: ResilienceErrorCode
}

/** A fallback answers in place of a call that failed with `error`. */
export interface FallbackEvent {
  readonly name: string
  readonly error: unknown
}

/** The process stood still: a time limit of `pending` calls was looked at `lag` milliseconds too late. */
export interface StallEvent {
  readonly name: string
  readonly lag: number
  readonly pending: number
}

/** A function given as an option threw. The call went on as if it had said no. */
export interface OptionErrorEvent {
  readonly name: string
  /** Such as `retryIf`. */
  readonly option: string
  readonly error: unknown
}

/** Also published to the channels of `node:diagnostics_channel` below `loadbearing:hystrix-breaker:pipeline-`. */
export interface PipelineEvents {
  retry: RetryEvent
  hedge: HedgeEvent
  reject: RefusalEvent
  fallback: FallbackEvent
  lag: StallEvent
  error: OptionErrorEvent
}

export const pipelineChannels: Channels<PipelineEvents> = {
  retry: channel('loadbearing:hystrix-breaker:pipeline-retry'),
  hedge: channel('loadbearing:hystrix-breaker:pipeline-hedge'),
  reject: channel('loadbearing:hystrix-breaker:pipeline-reject'),
  fallback: channel('loadbearing:hystrix-breaker:pipeline-fallback'),
  lag: channel('loadbearing:hystrix-breaker:pipeline-lag'),
  error: channel('loadbearing:hystrix-breaker:pipeline-error'),
}
