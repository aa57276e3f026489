import { HydraConfigError } from './errors.ts'
import { systemChannel } from './ports.ts'
import { shown } from './shown.ts'

/**
 * What happens while configurations are composed and watched. On Node each is also published to the channel
 * `loadbearing:hydra-config:<type>` of `node:diagnostics_channel`.
 */
export type HydraEvent =
  /** A source has been read; not told of one that has its files at hand. */
  | {
      readonly type: 'source.load'
      readonly source: string
      readonly files: number
      readonly durationMs: number
    }
  /** A resolver has answered, or not; of one that answers with a promise, when that is settled. */
  | {
      readonly type: 'resolver.call'
      readonly name: string
      /** Where the interpolation stands, such as `db.password`. */
      readonly path: string
      readonly durationMs: number
      readonly failed: boolean
    }
  /** A configuration has been composed, or not. */
  | { readonly type: 'compose.start'; readonly config: string | undefined }
  | { readonly type: 'compose.end'; readonly config: string | undefined; readonly durationMs: number }
  | { readonly type: 'compose.error'; readonly config: string | undefined; readonly error: unknown }
  /** A watched configuration is a new one now. `durationMs` counts from the start of the reading. */
  | { readonly type: 'reload.end'; readonly changes: number; readonly durationMs: number }
  /**
   * A source of a watched configuration cannot be read or watched, or what it has is no valid configuration: the old
   * one stays. Told once, until it is valid again or something else is wrong with it.
   */
  | { readonly type: 'reload.error'; readonly error: HydraConfigError }
  /** After `reload.error`: sources and configuration are in order again, whether or not anything has changed. */
  | { readonly type: 'reload.recovered' }

/** Tells of an event. */
export type Tell = (event: HydraEvent) => void

/**
 * Hands events to a listener and to the channels. What the listener throws is uncaught, and changes nothing for the
 * caller.
 * @throws {HydraConfigError} `INVALID_OPTION`
 */
export function teller(onEvent: Tell | undefined): Tell {
  if (onEvent !== undefined && typeof onEvent !== 'function') {
    throw new HydraConfigError('INVALID_OPTION', `onEvent must be a function, not ${shown(onEvent)}`)
  }
  return (event) => {
    try {
      // Subscribers of a channel that throw are uncaught already.
      const channel = systemChannel(`loadbearing:hydra-config:${event.type}`)
      if (channel?.hasSubscribers === true) channel.publish(event)
      onEvent?.(event)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
