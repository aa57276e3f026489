import { throwIfAborted, unlessAborted } from '../aborted.ts'
import { HydraConfigError } from '../errors.ts'
import { type Clock, realClock } from '../ports.ts'
import { readFailed, readFiles } from '../source/read-files.ts'
import type { ConfigSource } from '../source/source.ts'
import { pause, withTimeout } from './pause.ts'

/** What a {@link WatchedSource} tells. */
export interface WatchedSourceEvents {
  /** Something may have changed. */
  notice(): void
  /** It cannot be read or watched any more. Told once until `recovered`. */
  broken(error: HydraConfigError): void
  recovered(): void
}

const retryMinMs = 100
const retryMaxMs = 10_000
/** Reads that never answered and may yet; further ones wait for one of these. */
const maxPending = 4

/** One source under watch: it is read with a time limit, and watched anew whenever its watch breaks. */
export class WatchedSource {
  readonly source: ConfigSource
  readonly #events: WatchedSourceEvents
  readonly #timeoutMs: number
  readonly #clock: Clock
  readonly #pending = new Set<Promise<ReadonlyMap<string, string>>>()
  #unread = false
  #unwatched = false

  constructor(
    source: ConfigSource,
    events: WatchedSourceEvents,
    timeoutMs: number,
    clock: Clock = realClock,
  ) {
    this.source = source
    this.#events = events
    this.#timeoutMs = timeoutMs
    this.#clock = clock
  }

  get isBroken(): boolean {
    return this.#unread || this.#unwatched
  }

  /**
   * Its files now.
   * @throws {HydraConfigError} also where they do not come in time
   */
  async read(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    try {
      const files = await withTimeout((limited) => this.#pendingRead(limited), {
        ms: this.#timeoutMs,
        clock: this.#clock,
        signal,
        late: () => this.#late(),
      })
      this.#mark({ unread: false, unwatched: this.#unwatched })
      return files
    } catch (cause) {
      throwIfAborted(signal)
      const error = readFailed(this.source.path, cause)
      this.#mark({ unread: true, unwatched: this.#unwatched }, error)
      throw error
    }
  }

  /** Watches until `signal` aborts; `standing` resolves once it does watch, and rejects where it cannot begin. */
  watch(signal: AbortSignal): { readonly standing: Promise<void>; readonly ended: Promise<void> } {
    const { promise: standing, resolve, reject } = Promise.withResolvers<void>()
    if (this.source.watch === undefined) {
      resolve()
      return { standing, ended: standing }
    }
    const ended = this.#watchOn(signal, resolve, reject)
    return { standing, ended }
  }

  async #watchOn(signal: AbortSignal, stands: () => void, fails: (error: unknown) => void): Promise<void> {
    let retryMs = retryMinMs
    while (!signal.aborted) {
      try {
        for await (const _ of this.source.watch?.(signal) ?? []) {
          stands()
          retryMs = retryMinMs
          this.#mark({ unread: this.#unread, unwatched: false })
          this.#events.notice()
        }
        throwIfAborted(signal)
        throw new HydraConfigError('SOURCE_READ', `the watch of ${this.source.path} has ended`)
      } catch (cause) {
        if (signal.aborted) break
        const error = readFailed(this.source.path, cause)
        fails(error)
        this.#mark({ unread: this.#unread, unwatched: true }, error)
      }
      await pause(retryMs, signal, this.#clock)
      retryMs = Math.min(2 * retryMs, retryMaxMs)
    }
    fails(signal.reason)
  }

  async #pendingRead(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    if (this.#pending.size >= maxPending) return await Promise.race(this.#pending)
    const read = this.#files(signal)
    this.#pending.add(read)
    const forget = (): void => void this.#pending.delete(read)
    read.then(forget, forget)
    return await unlessAborted(read, signal)
  }

  async #files(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    return await readFiles(this.source, signal)
  }

  #late(): HydraConfigError {
    return new HydraConfigError(
      'SOURCE_READ',
      `${this.source.path} did not answer within ${this.#timeoutMs} ms`,
    )
  }

  #mark(now: { readonly unread: boolean; readonly unwatched: boolean }, error?: HydraConfigError): void {
    const before = this.isBroken
    this.#unread = now.unread
    this.#unwatched = now.unwatched
    if (!before && this.isBroken && error !== undefined) this.#events.broken(error)
    if (before && !this.isBroken) this.#events.recovered()
  }
}
