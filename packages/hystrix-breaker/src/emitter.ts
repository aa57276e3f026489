import type { Channel } from 'node:diagnostics_channel'
import { InvalidOptionError, shown } from './errors.ts'
import { checkFunction } from './option-checks.ts'

type Listeners<Events> = { [Name in keyof Events]: Set<(event: Events[Name]) => void> }

/** The diagnostics channel of each event; undefined where another one already carries it. */
export type Channels<Events> = { readonly [Name in keyof Events]: Channel | undefined }

/** Sends events to listeners and to the diagnostics channels. */
export class Emitter<Events> {
  readonly #channels: Channels<Events>
  #listeners: Partial<Listeners<Events>> | undefined

  constructor(channels: Channels<Events>) {
    this.#channels = channels
  }

  /** @throws InvalidOptionError where there is no such event, or the listener is no function. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    this.#check(name)
    checkFunction('listener', listener)
    const all: Partial<Listeners<Events>> = (this.#listeners ??= {})
    all[name] ??= new Set()
    const listeners: Set<(event: Events[Name]) => void> = all[name]
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }

  /** Whether anybody has ever listened to anything, the channels apart. */
  get listened(): boolean {
    return this.#listeners !== undefined
  }

  /** Whether anybody listens. */
  hears(name: keyof Events): boolean {
    const listeners = this.#listeners?.[name]
    return (listeners !== undefined && listeners.size > 0) || this.#channels[name]?.hasSubscribers === true
  }

  /** `make` runs only where somebody listens. */
  emit<Name extends keyof Events>(name: Name, make: () => Events[Name]): void {
    if (!this.hears(name)) return
    const event = make()
    this.#channels[name]?.publish(event)
    const listeners = this.#listeners?.[name]
    if (listeners === undefined) return
    for (const listener of listeners) {
      try {
        listener(event)
      } catch (error) {
        this.thrown(error)
      }
    }
  }

  #check(name: unknown): void {
    if (typeof name === 'string' && Object.hasOwn(this.#channels, name)) return
    throw new InvalidOptionError(
      `there is no event ${shown(name)}; there are ${Object.keys(this.#channels).join(', ')}`,
    )
  }

  /** It is the listener's failure, and must not stop half-way what is being reported: an uncaught exception. */
  protected thrown(error: unknown): void {
    process.nextTick(() => {
      throw error
    })
  }
}
