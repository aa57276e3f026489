import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'

/** What a body that was streamed has come to. */
export interface KeptBody {
  /** Null where there was more than may be kept. */
  readonly body: Uint8Array | null
  /** SHA-256 in hexadecimal digits. */
  readonly digest: string
}

/** What the client is still to be given. */
type Next = { readonly chunk: Uint8Array } | { readonly end: true } | { readonly error: unknown }

/**
 * A body on its way to the client, as it is produced, and kept at the same time. The client is told its end only by `end`,
 * once it is stored; one that goes away stops nothing.
 */
export class KeptStream {
  readonly #source: AsyncIterable<Uint8Array>
  readonly #maxBytes: number
  readonly #length: number
  #next: Next | undefined
  #gone = false
  #offered: PromiseWithResolvers<void> = Promise.withResolvers<void>()
  #taken: PromiseWithResolvers<void> = Promise.withResolvers<void>()
  #last: Uint8Array | undefined

  /**
   * @param length the bytes that the response says it has, if it says so: a client knows that it has all of them, so the last are
   * held back until the end
   * @param gone the client has gone
   */
  constructor(
    source: AsyncIterable<Uint8Array>,
    maxBytes: number,
    length: number | undefined,
    gone: AbortSignal | undefined,
  ) {
    this.#source = source
    this.#maxBytes = maxBytes
    this.#length = length ?? Number.POSITIVE_INFINITY
    if (gone?.aborted === true) this.#leave()
    gone?.addEventListener('abort', () => this.#leave(), { once: true })
  }

  /** For the client, once. */
  async *client(): AsyncGenerator<Uint8Array, void, void> {
    try {
      while (!this.#gone) {
        await this.#offered.promise
        const next = this.#next
        if (next === undefined || 'end' in next) return
        if ('error' in next) throw next.error
        yield next.chunk
        this.#next = undefined
        this.#offered = Promise.withResolvers<void>()
        this.#taken.resolve()
      }
    } finally {
      this.#leave()
    }
  }

  /** Passes everything on, and keeps it. @throws what the source throws */
  async read(): Promise<KeptBody> {
    const hash = createHash('sha256')
    let kept: Uint8Array[] | null = []
    let size = 0
    for await (const chunk of this.#source) {
      size += chunk.length
      hash.update(chunk)
      // Whoever gives a chunk may use its memory again.
      if (size > this.#maxBytes) kept = null
      else kept?.push(Uint8Array.from(chunk))
      if (size < this.#length) await this.#offer({ chunk })
      else this.#last = this.#last === undefined ? chunk : Buffer.concat([this.#last, chunk])
    }
    return { body: kept === null ? null : Buffer.concat(kept), digest: hash.digest('hex') }
  }

  /** It is stored. */
  async end(): Promise<void> {
    if (this.#last !== undefined) await this.#offer({ chunk: this.#last })
    await this.#offer({ end: true })
  }

  /** It will not be whole, or is not the answer. */
  async fail(error: unknown): Promise<void> {
    await this.#offer({ error })
  }

  async #offer(next: Next): Promise<void> {
    if (this.#gone) return
    this.#taken = Promise.withResolvers<void>()
    this.#next = next
    this.#offered.resolve()
    if ('chunk' in next) await this.#taken.promise
  }

  #leave(): void {
    this.#gone = true
    this.#next ??= { end: true }
    this.#offered.resolve()
    this.#taken.resolve()
  }
}
