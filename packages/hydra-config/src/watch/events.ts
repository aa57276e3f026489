import type { HydraConfigError } from '../errors.ts'

/** What happens while configurations are composed and watched. */
export type HydraEvent =
  /** A source has been read. Only while watching. */
  | {
      readonly type: 'source.load'
      readonly source: string
      readonly files: number
      readonly durationMs: number
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
