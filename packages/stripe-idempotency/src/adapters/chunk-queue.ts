const highWaterMark = 65_536
/** Milliseconds that a response nobody waits for any more may be silent in the middle, before it is given up. */
const silenceMax = 60_000

/** Chunks that are written at one end and read at the other; who writes is told when to wait. */
export class ChunkQueue implements AsyncIterable<Uint8Array> {
  /** Called when there is room again, for those who were told that there was none. */
  onDrain: () => void = () => {}
  /** Once nothing more will be written. */
  readonly over: Promise<void>
  readonly #over: PromiseWithResolvers<void> = Promise.withResolvers()
  readonly #chunks: { readonly chunk: Uint8Array; readonly taken: (() => void) | undefined }[] = []
  #size = 0
  #waiting = false
  #ended: { readonly error?: unknown } | undefined
  #change: PromiseWithResolvers<void> = Promise.withResolvers()
  #silence: NodeJS.Timeout | undefined
  #readOn = true

  constructor() {
    this.over = this.#over.promise
  }

  get ended(): boolean {
    return this.#ended !== undefined
  }

  /** Whether whoever writes should wait. */
  get full(): boolean {
    return this.#size >= highWaterMark
  }

  push(chunk: Uint8Array, taken?: () => void): boolean {
    if (this.ended || !this.#readOn) {
      taken?.()
      return true
    }
    this.#chunks.push({ chunk, taken })
    this.#size += chunk.length
    this.#silence?.refresh()
    this.#change.resolve()
    this.#waiting ||= this.full
    return !this.full
  }

  end(taken?: () => void): void {
    this.#ended ??= {}
    this.#over.resolve()
    if (taken !== undefined) this.#chunks.push({ chunk: new Uint8Array(), taken })
    this.#change.resolve()
  }

  fail(error: unknown): void {
    this.#ended ??= { error }
    this.#over.resolve()
    this.#change.resolve()
  }

  /** From now on it may not be silent for long. */
  endSilence(): void {
    const giveUp = (): void => this.fail(new Error('the client has gone, and the response did not go on'))
    this.#silence ??= setTimeout(giveUp, silenceMax).unref()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (;;) {
        const next = this.#chunks.shift()
        if (next !== undefined) {
          this.#size -= next.chunk.length
          next.taken?.()
          if (this.#waiting && !this.full) this.#drain()
          if (next.chunk.length > 0) yield next.chunk
        } else if (this.#ended !== undefined) {
          if ('error' in this.#ended) throw this.#ended.error
          return
        } else {
          await this.#change.promise
          this.#change = Promise.withResolvers()
        }
      }
    } finally {
      clearTimeout(this.#silence)
      this.#readOn = false
    }
  }

  #drain(): void {
    this.#waiting = false
    this.onDrain()
  }
}
