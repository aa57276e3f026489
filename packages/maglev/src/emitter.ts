import type { Channel } from 'node:diagnostics_channel'
import { MaglevError, shown } from './errors.ts'

type Listeners<Events> = { [Name in keyof Events]: Set<(event: Events[Name]) => void> }

/** The diagnostics channel of each event; undefined where another one already carries it. */
export type Channels<Events> = { readonly [Name in keyof Events]: Channel | undefined }

/** Sends events to listeners and to the diagnostics channels. */
export class Emitter<Events> {
  readonly #channels: Channels<Events>
  readonly #listeners: Partial<Listeners<Events>> = {}

  constructor(channels: Channels<Events>) {
    this.#channels = channels
  }

  /** @throws MaglevError `INVALID_OPTION` for an event that there is not, or what is no function */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    // An object would be made text of.
    if (!Object.keys(this.#channels).some((each) => each === name)) {
      throw new MaglevError(
        'INVALID_OPTION',
        `There is no event ${shown(name)}; there are ${Object.keys(this.#channels).join(', ')}`,
      )
    }
    if (typeof listener !== 'function') {
      throw new MaglevError('INVALID_OPTION', `A listener must be a function, not ${shown(listener)}`)
    }
    this.#listeners[name] ??= new Set()
    const listeners: Set<(event: Events[Name]) => void> = this.#listeners[name]
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }

  /** Whether somebody listens. */
  hears(name: keyof Events): boolean {
    return (this.#listeners[name]?.size ?? 0) > 0 || this.#channels[name]?.hasSubscribers === true
  }

  /** `make` runs only where somebody listens. */
  emit<Name extends keyof Events>(name: Name, make: () => Events[Name]): void {
    if (!this.hears(name)) return
    const event = make()
    this.#channels[name]?.publish(event)
    const listeners = this.#listeners[name]
    if (listeners === undefined) return
    for (const listener of listeners) {
      try {
        listener(event)
      } catch (error) {
        // As the channels do: it is the listener's failure, and must not stop half-way what is being reported.
        process.nextTick(() => {
          throw error
        })
      }
    }
  }
}
