import type { Events } from './events.ts'
import type { Clock, Random } from './ports.ts'
import type { Sealer } from './seal.ts'
import type { IdempotencyStore } from './store/store.ts'

/** Settings of an `Engine`; all times in milliseconds. */
export interface EngineSettings {
  readonly store: IdempotencyStore
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
  readonly lease: number
  readonly ttl: number
  /** How long the store may take to answer a claim. */
  readonly storeTimeout: number
  readonly events: Events
}
