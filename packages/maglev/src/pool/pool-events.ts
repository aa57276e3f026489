import { channel } from 'node:diagnostics_channel'
import type { Health } from '../backend.ts'
import type { Channels } from '../emitter.ts'
import type { RebuildEvent } from '../events.ts'
import type { HealthFact, Verdict } from './health.ts'
import type { EjectionReason } from './outlier.ts'
import type { Pool } from './pool.ts'

/** A backend is in another state. */
export interface StateEvent {
  readonly pool: Pool
  readonly id: string
  readonly from: Health
  readonly to: Health
  /** The fact that made it so. */
  readonly reason: HealthFact['type']
}

/** Outlier detection took a backend out. */
export interface EjectedEvent {
  readonly pool: Pool
  readonly id: string
  readonly reason: EjectionReason
  /** How long, in ms. */
  readonly ms: number
  /** How many times so far. */
  readonly times: number
}

/** A level of priority begins or ceases to use all of its backends. */
export interface PanicEvent {
  readonly pool: Pool
  readonly priority: number
  readonly panic: boolean
}

/** A draining backend holds no leases and no tracked flows any more. */
export interface DrainedEvent {
  readonly pool: Pool
  readonly id: string
}

/** An active check has a result. */
export interface ProbeEvent {
  readonly pool: Pool
  readonly id: string
  readonly result: Verdict
  /** How long it took. */
  readonly ms: number
  /** Why it failed. */
  readonly error?: unknown
}

/** A level of priority has a new table. */
export interface PoolRebuildEvent extends RebuildEvent {
  readonly pool: Pool
  readonly priority: number
}

/**
 * Also published to the channels `loadbearing:maglev:<event>` of `node:diagnostics_channel`; on `:rebuild` it is the table that
 * reports, in the shape of a `RebuildEvent`.
 */
export interface PoolEvents {
  state: StateEvent
  ejected: EjectedEvent
  panic: PanicEvent
  drained: DrainedEvent
  probe: ProbeEvent
  rebuild: PoolRebuildEvent
}

export function rebuildOf(pool: Pool, priority: number, event: RebuildEvent): PoolRebuildEvent {
  const { maglev, tableSize, backends, available } = event
  return {
    pool,
    priority,
    maglev,
    tableSize,
    backends,
    available,
    // Counted when it is asked for, as in the event of the table.
    get changed() {
      return event.changed
    },
  }
}

export const poolChannels: Channels<PoolEvents> = {
  state: channel('loadbearing:maglev:state'),
  ejected: channel('loadbearing:maglev:ejected'),
  panic: channel('loadbearing:maglev:panic'),
  drained: channel('loadbearing:maglev:drained'),
  probe: channel('loadbearing:maglev:probe'),
  rebuild: undefined,
}
