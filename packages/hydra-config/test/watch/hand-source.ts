import { Notices } from '../../src/source/notices.ts'
import type { ConfigSource } from '../../src/source/source.ts'

/** A source that changes, fails and hangs by hand. */
export class HandSource implements ConfigSource {
  readonly path = 'hand://'
  reads = 0
  watches = 0
  /** Watches that have not ended. */
  watchers = 0
  /** What `files` throws, while it is there. */
  failure: Error | undefined
  /** Whether `files` does not answer; those that wait answer once it is false again. */
  #hangs: PromiseWithResolvers<void> | undefined
  #files: ReadonlyMap<string, string>
  #notices = new Notices()

  constructor(files: Readonly<Record<string, string>>) {
    this.#files = new Map(Object.entries(files))
  }

  set(files: Readonly<Record<string, string>>): void {
    this.#files = new Map(Object.entries(files))
    this.#notices.tell()
  }

  setUnheard(files: Readonly<Record<string, string>>): void {
    this.#files = new Map(Object.entries(files))
  }

  tell(): void {
    this.#notices.tell()
  }

  breakWatch(error: Error): void {
    this.#notices.fail(error)
  }

  hang(): void {
    this.#hangs = Promise.withResolvers()
  }

  answer(): void {
    this.#hangs?.resolve()
    this.#hangs = undefined
  }

  async files(): Promise<ReadonlyMap<string, string>> {
    this.reads += 1
    await this.#hangs?.promise
    if (this.failure !== undefined) throw this.failure
    return this.#files
  }

  async *watch(signal: AbortSignal): AsyncGenerator<void> {
    this.watches += 1
    if (this.failure !== undefined) throw this.failure
    this.#notices = new Notices()
    this.#notices.tell()
    this.watchers += 1
    try {
      yield* this.#notices.until(signal)
    } finally {
      this.watchers -= 1
    }
  }
}
