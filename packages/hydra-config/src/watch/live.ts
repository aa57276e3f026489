import { throwIfAborted } from '../aborted.ts'
import type { Change } from '../compose/changes.ts'
import type { Composition } from '../compose/composition.ts'
import { checkDuration, type Duration } from '../duration.ts'
import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import type { HydraEvent } from '../events.ts'
import { type Clock, realClock } from '../ports.ts'
import type { ConfigSource } from '../source/source.ts'
import { Latest } from './latest.ts'
import { withTimeout } from './pause.ts'
import { Rest } from './rest.ts'
import { sameFiles } from './same-files.ts'
import { WatchedSource } from './watched-source.ts'

/** When a watched configuration is read again. */
export interface WatchTiming {
  /** How long nothing may have changed before a change is read. Default 10 ms. */
  readonly quiet?: Duration
  /** After how long a change is read though changes go on. Default 1 s. */
  readonly quietMax?: Duration
  /** How often sources are read though they tell of no change: a notice may get lost. Default 30 s. */
  readonly pollEvery?: Duration
  /** How long a source, and then the composition, may take. Default 10 s. */
  readonly timeout?: Duration
}

/** A change of a watched configuration. */
export interface Reload<T> {
  readonly value: T
  readonly composition: Composition<T>
  /** What differs from the configuration that this iteration had before: the last reload, or what the watch began with. */
  readonly changes: readonly Change[]
}

/**
 * A configuration that follows its sources. What it shows is always whole and valid. To iterate gives a
 * {@link Reload} for each change, the newest where several came meanwhile; the iteration ends with the watch. While
 * somebody waits for the next one the process stays alive, otherwise the watch lets it end.
 */
export interface LiveConfig<T> extends AsyncDisposable, AsyncIterable<Reload<T>> {
  /** The newest valid configuration. */
  readonly current: Composition<T>
}

/** What a watch is made of. */
export interface WatchParts {
  readonly sources: readonly ConfigSource[]
  /** Composes from sources as they were at one moment. `follow` is given what `hydra.searchpath` adds to them. */
  readonly compose: (
    snapshots: readonly ConfigSource[],
    signal: AbortSignal,
    follow: (source: ConfigSource) => ConfigSource,
  ) => Promise<Composition>
  readonly timing: WatchTiming
  readonly onEvent: (event: HydraEvent) => void
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock | undefined
}

/**
 * Composes and goes on watching.
 * @throws {HydraConfigError} as the composition does, or where a source cannot be watched
 */
export async function watchConfig(parts: WatchParts): Promise<LiveConfig<unknown>> {
  const watch = new Watch(parts)
  try {
    const live = await watch.start()
    return live
  } catch (error) {
    await watch.end(error)
    throw error
  }
}

const retryMs = 1000

class Watch {
  readonly #parts: WatchParts
  readonly #clock: Clock
  readonly #pollMs: number
  readonly #timeoutMs: number
  readonly #rest: Rest
  readonly #sources: readonly WatchedSource[]
  readonly #ending = new AbortController()
  readonly #work: Promise<unknown>[] = []
  /** What was composed, or tried, last. */
  #tried: readonly ReadonlyMap<string, string>[] = []
  /** Paths of the sources that `hydra.searchpath` has added; once there, they are watched to the end. */
  readonly #added = new Set<string>()
  #hasAddedChanged = false
  /** Why the newest files are no configuration. */
  #invalid: HydraConfigError | undefined

  constructor(parts: WatchParts) {
    const { quiet = 10, quietMax = 1000, pollEvery = 30_000, timeout = 10_000 } = parts.timing
    this.#parts = parts
    this.#clock = parts.clock ?? realClock
    this.#pollMs = checkDuration('pollEvery', pollEvery)
    this.#timeoutMs = checkDuration('timeout', timeout)
    this.#rest = new Rest(this.#clock, checkDuration('quiet', quiet), checkDuration('quietMax', quietMax))
    const events = {
      notice: () => this.#rest.notice(),
      broken: (error: HydraConfigError) => parts.onEvent({ type: 'reload.error', error }),
      recovered: () => this.#tellRecovered(),
    }
    this.#sources = parts.sources.map(
      (source) => new WatchedSource(source, events, this.#timeoutMs, this.#clock),
    )
  }

  async start(): Promise<LiveConfig<unknown>> {
    const { signal } = this.#ending
    throwIfAborted(this.#parts.signal)
    this.#parts.signal?.addEventListener('abort', this.#onAbort)
    const watches = this.#sources.map((source) => source.watch(signal))
    this.#work.push(...watches.map(({ ended }) => ended))
    const standing = Promise.all(watches.map((watch) => watch.standing))
    await this.#limited(() => standing, 'the sources are not under watch')
    this.#rest.forget()
    const snapshots = await this.#read()
    this.#tried = snapshots
    const latest = new Latest(await this.#compose(snapshots), (anyone) => {
      this.#rest.isAwaited = anyone
    })
    this.#work.push(this.#follow(latest))
    return {
      get current() {
        return latest.value
      },
      async *[Symbol.asyncIterator]() {
        for await (const { value: composition, previous } of latest.follow()) {
          const changes = previous.diff(composition)
          if (changes.length > 0) yield { value: composition.value, composition, changes }
        }
      },
      [Symbol.asyncDispose]: async () => {
        latest.end()
        await this.end(new DOMException('the watch was disposed of', 'AbortError'))
      },
    }
  }

  async end(reason: unknown): Promise<void> {
    this.#parts.signal?.removeEventListener('abort', this.#onAbort)
    this.#ending.abort(reason)
    await Promise.allSettled(this.#work)
  }

  readonly #onAbort = (): void => void this.end(this.#parts.signal?.reason)

  async #follow(latest: Latest<Composition>): Promise<void> {
    const { signal } = this.#ending
    while (!signal.aborted) {
      const isBroken = this.#sources.some((source) => source.isBroken)
      await this.#rest.until(isBroken ? Math.min(retryMs, this.#pollMs) : this.#pollMs, signal)
      if (!signal.aborted) await this.#reload(latest)
    }
    latest.end()
  }

  async #reload(latest: Latest<Composition>): Promise<void> {
    const start = this.#clock.monotonic()
    let snapshots: readonly ReadonlyMap<string, string>[]
    try {
      snapshots = await this.#read()
    } catch {
      // The source has told of it.
      return
    }
    const isSame = snapshots.every((files, index) => sameFiles(files, this.#tried[index] ?? new Map()))
    if (isSame && this.#invalid === undefined && !this.#hasAddedChanged) return
    this.#hasAddedChanged = false
    try {
      const composition = await this.#compose(snapshots)
      const changes = latest.value.diff(composition).length
      const wasInvalid = this.#invalid !== undefined
      this.#invalid = undefined
      latest.set(composition)
      if (wasInvalid) this.#tellRecovered()
      if (changes > 0) {
        this.#parts.onEvent({ type: 'reload.end', changes, durationMs: this.#clock.monotonic() - start })
      }
    } catch (cause) {
      if (this.#ending.signal.aborted) return
      const error = errorOf(cause)
      const isNews = this.#invalid?.message !== error.message
      this.#invalid = error
      if (isNews) this.#parts.onEvent({ type: 'reload.error', error })
    }
    this.#tried = snapshots
  }

  #read(): Promise<readonly ReadonlyMap<string, string>[]> {
    const { signal } = this.#ending
    return Promise.all(
      this.#sources.map(async (source) => {
        const start = this.#clock.monotonic()
        const files = await source.read(signal)
        const durationMs = this.#clock.monotonic() - start
        this.#parts.onEvent({
          type: 'source.load',
          source: source.source.path,
          files: files.size,
          durationMs,
        })
        return files
      }),
    )
  }

  #compose(snapshots: readonly ReadonlyMap<string, string>[]): Promise<Composition> {
    const sources = snapshots.map((files, index) => ({
      path: this.#parts.sources[index]?.path ?? '',
      files: () => files,
    }))
    return this.#limited(async (signal) => {
      const composition = await this.#parts.compose(sources, signal, (source) => this.#followed(source))
      // What cannot be resolved is to be known now, not when somebody asks for it.
      void composition.value
      return composition
    }, 'the configuration is not composed')
  }

  /** What is not there is none's fault, and may come. */
  #followed(source: ConfigSource): ConfigSource {
    if (this.#added.has(source.path)) return source
    this.#added.add(source.path)
    const notice = (): void => {
      this.#hasAddedChanged = true
      this.#rest.notice()
    }
    const events = { notice, broken: () => {}, recovered: () => {} }
    const watched = new WatchedSource(source, events, this.#timeoutMs, this.#clock)
    const { standing, ended } = watched.watch(this.#ending.signal)
    standing.catch(() => {})
    this.#work.push(ended)
    return source
  }

  #limited<R>(work: (signal: AbortSignal) => Promise<R>, what: string): Promise<R> {
    return withTimeout(work, {
      ms: this.#timeoutMs,
      clock: this.#clock,
      signal: this.#ending.signal,
      late: () => new HydraConfigError('TIMED_OUT', `${what} after ${this.#timeoutMs} ms`),
    })
  }

  #tellRecovered(): void {
    if (this.#invalid === undefined && !this.#sources.some((source) => source.isBroken)) {
      this.#parts.onEvent({ type: 'reload.recovered' })
    }
  }
}

function errorOf(cause: unknown): HydraConfigError {
  if (isHydraConfigError(cause)) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new HydraConfigError('COMPOSITION', `the configuration cannot be composed: ${reason}`, { cause })
}
