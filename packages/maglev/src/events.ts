import { channel } from 'node:diagnostics_channel'
import type { Health } from './backend.ts'
import type { Channels } from './emitter.ts'
import type { Maglev } from './maglev.ts'

/** A new table is in force. */
export interface RebuildEvent {
  readonly maglev: Maglev
  /** Slots whose owner is another one than before. */
  readonly changed: number
  readonly tableSize: number
  readonly backends: number
  readonly available: number
}

/** A backend's health was set to another value. */
export interface HealthEvent {
  readonly maglev: Maglev
  readonly id: string
  readonly from: Health
  readonly to: Health
}

/** A sliced build threw: the table of before stays in force. */
export interface ErrorEvent {
  readonly maglev: Maglev
  readonly error: unknown
}

/** Also published to the channels `loadbearing:maglev:rebuild`, `:health` and `:error` of `node:diagnostics_channel`. */
export interface MaglevEvents {
  rebuild: RebuildEvent
  health: HealthEvent
  error: ErrorEvent
}

export const maglevChannels: Channels<MaglevEvents> = {
  rebuild: channel('loadbearing:maglev:rebuild'),
  health: channel('loadbearing:maglev:health'),
  error: channel('loadbearing:maglev:error'),
}
