import type { Channel } from 'node:diagnostics_channel'

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

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    this.#listeners[name] ??= new Set()
    const listeners: Set<(event: Events[Name]) => void> = this.#listeners[name]
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }

  /** `make` runs only where somebody listens. */
  emit<Name extends keyof Events>(name: Name, make: () => Events[Name]): void {
    const listeners = this.#listeners[name]
    const channel = this.#channels[name]
    if ((listeners === undefined || listeners.size === 0) && channel?.hasSubscribers !== true) return
    const event = make()
    channel?.publish(event)
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
