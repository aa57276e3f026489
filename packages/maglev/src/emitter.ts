import { type Channel, channel } from 'node:diagnostics_channel'
import type { MaglevEvents } from './events.ts'

type Listeners = { [Name in keyof MaglevEvents]: Set<(event: MaglevEvents[Name]) => void> }

const channels: Readonly<Record<keyof MaglevEvents, Channel>> = {
  rebuild: channel('loadbearing:maglev:rebuild'),
  health: channel('loadbearing:maglev:health'),
  error: channel('loadbearing:maglev:error'),
}

/** Sends events to listeners and to the diagnostics channels. */
export class Emitter {
  readonly #listeners: Listeners = { rebuild: new Set(), health: new Set(), error: new Set() }

  on<Name extends keyof MaglevEvents>(name: Name, listener: (event: MaglevEvents[Name]) => void): () => void {
    const listeners: Set<(event: MaglevEvents[Name]) => void> = this.#listeners[name]
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }

  /** `make` runs only where somebody listens. */
  emit<Name extends keyof MaglevEvents>(name: Name, make: () => MaglevEvents[Name]): void {
    const listeners: Set<(event: MaglevEvents[Name]) => void> = this.#listeners[name]
    if (listeners.size === 0 && !channels[name].hasSubscribers) return
    const event = make()
    channels[name].publish(event)
    for (const listener of listeners) listener(event)
  }
}
