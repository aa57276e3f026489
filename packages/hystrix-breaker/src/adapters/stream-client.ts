import type { IncomingMessage } from 'node:http'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Clock } from '../ports.ts'
import { EventStreamReader, type StreamEvent } from './stream-events.ts'

/** Where a stream is. */
export interface StreamAddress {
  readonly url: URL
  /** Sent with the request, for example `Authorization`. */
  readonly headers: Readonly<Record<string, string>>
}

export interface StreamReader {
  connected(): void
  event(event: StreamEvent): void
  /** The connection is gone, or was not to be had; it is tried again after `retryIn` milliseconds. */
  lost(reason: Error, retryIn: number): void
}

export interface StreamClientOptions {
  /** Milliseconds without a byte after which a connection counts as hung. */
  readonly timeout: number
  readonly clock: Clock
}

/** Room for a frame with names of 10 KB, escaped. */
const eventMax = 256 * 1024
const retryMin = 1000
const retryMax = 30_000

/** Reads a stream, and connects again where it breaks off, after 1 s and doubling up to 30 s. */
export class StreamClient {
  readonly #address: StreamAddress
  readonly #reader: StreamReader
  readonly #timeout: number
  readonly #clock: Clock
  #retryIn = retryMin
  #timer: unknown
  #abort = new AbortController()
  #stopped = false

  constructor(address: StreamAddress, reader: StreamReader, { timeout, clock }: StreamClientOptions) {
    this.#address = address
    this.#reader = reader
    this.#timeout = timeout
    this.#clock = clock
  }

  start(): void {
    const { url, headers } = this.#address
    const attempt = new AbortController()
    this.#abort = attempt
    const lose = (reason: Error): void => {
      if (attempt.signal.aborted) return
      attempt.abort(reason)
      this.#lose(reason)
    }
    this.#watch(lose)
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      headers: { ...headers, Accept: 'text/event-stream' },
      agent: false,
      signal: attempt.signal,
    })
    request.on('error', lose)
    request.on('response', (response) => this.#read(response, lose))
    request.end()
  }

  stop(): void {
    this.#stopped = true
    this.#clock.clearTimeout(this.#timer)
    this.#abort.abort()
  }

  #read(response: IncomingMessage, lose: (reason: Error) => void): void {
    const { statusCode, headers } = response
    const type = headers['content-type'] ?? 'no content type'
    if (statusCode !== 200) {
      lose(new Error(`it answered ${statusCode}`))
      return
    }
    if (!type.startsWith('text/event-stream')) {
      lose(new Error(`it is no event stream, but ${type.slice(0, 100)}`))
      return
    }
    const reader = new EventStreamReader(eventMax)
    response.setEncoding('utf8')
    response.on('error', lose)
    response.on('end', () => lose(new Error('it ended')))
    response.on('data', (piece: string) => {
      this.#watch(lose)
      try {
        for (const event of reader.read(piece)) {
          if (this.#stopped) return
          this.#retryIn = retryMin
          this.#reader.event(event)
        }
      } catch (error) {
        lose(error instanceof Error ? error : new Error(String(error)))
      }
    })
    this.#reader.connected()
  }

  #watch(lose: (reason: Error) => void): void {
    this.#clock.clearTimeout(this.#timer)
    this.#timer = this.#clock.setTimeout(
      () => lose(new Error(`nothing came for ${this.#timeout} ms`)),
      this.#timeout,
    )
  }

  #lose(reason: Error): void {
    if (this.#stopped) return
    this.#clock.clearTimeout(this.#timer)
    const retryIn = this.#retryIn
    this.#retryIn = Math.min(2 * retryIn, retryMax)
    this.#timer = this.#clock.setTimeout(() => this.start(), retryIn)
    this.#reader.lost(reason, retryIn)
  }
}
