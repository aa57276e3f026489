import { channel } from 'node:diagnostics_channel'
import type { Channels } from '../emitter.ts'

/** A circuit and its fleet: first contact, or contact again after {@link LostEvent}. */
export interface FleetContactEvent {
  readonly name: string
  readonly state: 'closed' | 'open'
  /** Of the fleet, not of the circuit: microseconds of Redis' clock, 0 where it never opened. */
  readonly generation: number
}

/** A circuit followed its fleet. */
export interface FleetChangeEvent {
  readonly name: string
  readonly generation: number
  /** Milliseconds that it stays open; 0 where it closed. */
  readonly wait: number
}

/** Redis failed or did not answer in time: the circuit decides alone until {@link RedisSharedEvents.recovered}. */
export interface LostEvent {
  readonly name: string
  readonly error: unknown
}

/** Also published to the channels of `node:diagnostics_channel` below `loadbearing:hystrix-breaker:shared-`. */
export interface RedisSharedEvents {
  joined: FleetContactEvent
  openedByFleet: FleetChangeEvent
  closedByFleet: FleetChangeEvent
  lost: LostEvent
  recovered: FleetContactEvent
}

export const sharedChannels: Channels<RedisSharedEvents> = {
  joined: channel('loadbearing:hystrix-breaker:shared-joined'),
  openedByFleet: channel('loadbearing:hystrix-breaker:shared-opened-by-fleet'),
  closedByFleet: channel('loadbearing:hystrix-breaker:shared-closed-by-fleet'),
  lost: channel('loadbearing:hystrix-breaker:shared-lost'),
  recovered: channel('loadbearing:hystrix-breaker:shared-recovered'),
}
