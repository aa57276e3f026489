/**
 * Calls `changed` with the id of each record that changed, and `lost` once when there will be no more.
 * What comes back ends it.
 */
export type Listen = (changed: (id: string) => void, lost: () => void) => Promise<() => Promise<void>>

/**
 * Who waits for records to change: one connection listens for all of them, while there is anybody.
 * Each record is asked for once, however many wait for it.
 */
export class Watcher {
  readonly #listen: Listen
  readonly #waiting = new Map<string, { readonly changed: PromiseWithResolvers<void>; count: number }>()
  #listening: Promise<() => Promise<void>> | undefined

  constructor(listen: Listen) {
    this.#listen = listen
  }

  /** @param ask for a notification of the record's next change; false where it has changed already */
  async watch(id: string, ask: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { promise: gone, resolve: leave } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => leave(), { once: true })
    const known = this.#waiting.get(id)
    const waiting = known ?? { changed: Promise.withResolvers<void>(), count: 0 }
    waiting.count++
    if (known === undefined) {
      this.#waiting.set(id, waiting)
      waiting.changed.promise.catch(() => {})
      this.#begin(id, ask).catch(waiting.changed.reject)
    }
    try {
      await Promise.race([waiting.changed.promise, gone])
    } finally {
      leave()
      waiting.count--
      if (waiting.count === 0 && this.#waiting.get(id) === waiting) this.#waiting.delete(id)
      this.#endIfIdle()
    }
  }

  /** Nobody waits any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#tellAll()
    await this.#end()
  }

  // First it listens, then it asks: what changes in between is heard.
  async #begin(id: string, ask: () => Promise<boolean>): Promise<void> {
    this.#listening ??= this.#start()
    await this.#listening
    if (!(await ask())) this.#tell(id)
  }

  #start(): Promise<() => Promise<void>> {
    const listening = this.#listen(
      (changed) => this.#tell(changed),
      () => {
        if (this.#listening === listening) this.#listening = undefined
        this.#tellAll()
      },
    )
    listening.catch(() => {
      if (this.#listening === listening) this.#listening = undefined
    })
    return listening
  }

  #tell(id: string): void {
    this.#waiting.get(id)?.changed.resolve()
    this.#waiting.delete(id)
  }

  #tellAll(): void {
    for (const id of this.#waiting.keys()) this.#tell(id)
  }

  #endIfIdle(): void {
    if (this.#waiting.size === 0) void this.#end()
  }

  async #end(): Promise<void> {
    const listening = this.#listening
    this.#listening = undefined
    try {
      await (await listening)?.()
    } catch {
      // The connection is gone, and with it what was listened for.
    }
  }
}
