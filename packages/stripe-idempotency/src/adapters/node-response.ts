import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { HeaderLines, LiveResponse } from '../http/message.ts'
import { ChunkQueue } from './chunk-queue.ts'
import { promptBody } from './prompt-body.ts'

type Callback = (error?: Error | null) => void

/**
 * A response of Node that is written to and not yet sent: what the application writes, by whatever way, becomes a response to
 * keep. Whatever was put around the response before, such as compression, works on what is sent in the end.
 *
 * To the application the client is there until it has ended its response, even if it has gone.
 */
export class CapturedResponse {
  readonly #response: ServerResponse
  readonly #chunks = new ChunkQueue()
  readonly #head: PromiseWithResolvers<Pick<LiveResponse, 'status' | 'headers'>> = Promise.withResolvers()
  /** Own properties of the response, as they were. */
  readonly #before = new Map<PropertyKey, PropertyDescriptor | undefined>()
  readonly #gone: AbortController
  #headSent = false
  #closed = false

  /** @param gone aborted when the client has gone */
  constructor(response: ServerResponse, gone: AbortController) {
    this.#response = response
    this.#gone = gone
    this.#head.promise.catch(() => {})
    this.#shadowMethods()
    this.#shadowState()
  }

  /** Whether the application has begun to answer. */
  get begun(): boolean {
    return this.#headSent
  }

  /** @throws where the application destroys the response, or goes silent in the middle of it after the client has gone */
  async response(maxBytes: number): Promise<LiveResponse> {
    const head = await this.#head.promise
    return { ...head, body: await promptBody(this.#chunks, maxBytes) }
  }

  /** Sends the answer, whatever the application wrote. The response is the application's own again when this is over. */
  async send({ status, headers, body }: LiveResponse): Promise<void> {
    const response = this.#response
    if (body instanceof Uint8Array) {
      this.release()
      return sendNode(response, { status, headers, body })
    }
    const events = headers.some(
      ([name, value]) => name === 'content-type' && /^text\/event-stream\b/i.test(value),
    )
    this.#bare(() => {
      setHead(response, status, headers)
      if (!this.#closed) response.flushHeaders()
    })
    try {
      for await (const chunk of body) {
        while (!this.#closed && this.#bare(() => response.writableNeedDrain)) await this.#drained()
        if (this.#closed) break
        this.#bare(() => {
          response.write(chunk)
          // A compression in front would keep events until it has more of them.
          if (events && 'flush' in response && typeof response.flush === 'function') response.flush()
        })
      }
      await this.#chunks.over
      this.release()
      if (!response.destroyed) response.end()
    } catch {
      // What was promised will not come: the connection ends in the middle, and the client knows.
      this.release()
      response.destroy()
    }
  }

  /** The response is the application's own again, and nothing of what it wrote is sent. */
  release(): void {
    this.#unshadow([...this.#before.keys()])
    if (this.#closed) this.#response.emit('close')
  }

  /** Does something with the response as it is. */
  #bare<Result>(act: () => Result): Result {
    const shadows = [...this.#before.keys()].map(
      (name) => [name, Object.getOwnPropertyDescriptor(this.#response, name)] as const,
    )
    this.#unshadow(shadows.map(([name]) => name))
    try {
      return act()
    } finally {
      for (const [name, descriptor] of shadows) if (descriptor !== undefined) this.#shadow(name, descriptor)
    }
  }

  async #drained(): Promise<void> {
    const stop = new AbortController()
    const until = (event: string): Promise<unknown> => once(this.#response, event, { signal: stop.signal })
    try {
      await Promise.race([until('drain'), aborted(this.#gone.signal, stop.signal)])
    } finally {
      stop.abort()
    }
  }

  #shadowMethods(): void {
    const response = this.#response
    this.#shadow('writeHead', {
      value: (status: number, second?: unknown, third?: unknown) => {
        if (!this.#headSent) this.#takeHead(status, typeof second === 'string' ? third : second)
        return response
      },
    })
    this.#shadow('flushHeaders', { value: () => this.#begin() })
    this.#shadow('write', {
      value: (chunk: unknown, encoding?: unknown, callback?: unknown) => {
        this.#begin()
        return this.#chunks.push(bytesOf(chunk, encoding), callbackOf(encoding, callback))
      },
    })
    this.#shadow('end', {
      value: (chunk?: unknown, encoding?: unknown, callback?: unknown) => {
        this.#begin()
        if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') {
          this.#chunks.push(bytesOf(chunk, encoding))
        }
        this.#chunks.end(callbackOf(chunk, encoding, callback))
        return response
      },
    })
    this.#shadow('destroy', {
      value: (error?: Error) => {
        const why = error ?? new Error('the response was destroyed before it was whole')
        this.#head.reject(why)
        this.#chunks.fail(why)
        return response
      },
    })
    this.#shadow('emit', {
      value: (event: string | symbol, ...rest: unknown[]) => {
        if (event === 'close') {
          this.#closed = true
          this.#gone.abort()
          if (this.#headSent) this.#chunks.endSilence()
          return false
        }
        return Reflect.apply(Object.getPrototypeOf(response).emit, response, [event, ...rest])
      },
    })
    this.#chunks.onDrain = () => response.emit('drain')
  }

  #shadowState(): void {
    this.#shadow('headersSent', { get: () => this.#headSent })
    this.#shadow('writableEnded', { get: () => this.#chunks.ended })
    this.#shadow('writableNeedDrain', { get: () => this.#chunks.full })
    this.#shadow('closed', { get: () => false })
    // What Node sets meanwhile is there again in the end.
    this.#shadow('destroyed', {
      get: () => false,
      set: (value: unknown) => this.#setBefore('destroyed', value),
    })
    const { socket } = this.#response
    if (socket === null) return
    const stand = lasting(socket)
    this.#shadow('socket', { get: () => stand, set: (value: unknown) => this.#setBefore('socket', value) })
  }

  #shadow(name: PropertyKey, descriptor: PropertyDescriptor): void {
    this.#before.set(name, Object.getOwnPropertyDescriptor(this.#response, name))
    Object.defineProperty(this.#response, name, { ...descriptor, configurable: true })
  }

  #unshadow(names: readonly PropertyKey[]): void {
    for (const name of names) {
      const before = this.#before.get(name)
      this.#before.delete(name)
      if (before === undefined) Reflect.deleteProperty(this.#response, name)
      else Object.defineProperty(this.#response, name, before)
    }
  }

  #setBefore(name: PropertyKey, value: unknown): void {
    const before = this.#before.get(name)
    if (before !== undefined && 'value' in before) before.value = value
  }

  #begin(): void {
    // By its name: others, such as on-headers, may have put theirs in front.
    if (!this.#headSent) this.#response.writeHead(this.#response.statusCode)
  }

  #takeHead(status: number, headers: unknown): void {
    const response = this.#response
    for (const [name, value] of entriesOf(headers)) response.setHeader(name, value)
    response.statusCode = status
    this.#headSent = true
    // Those who look after it have done so.
    this.#unshadow(['socket'])
    this.#head.resolve({
      status,
      headers: headersOf(response),
    })
    if (this.#closed) this.#chunks.endSilence()
  }
}

/** Sends a response in place of whatever was made of it before. */
export async function sendNode(
  response: ServerResponse,
  { status, headers, body }: LiveResponse & { readonly body: Uint8Array },
): Promise<void> {
  if (response.destroyed) return
  setHead(response, status, headers)
  if (body.length === 0) response.end()
  else response.end(body)
}

/** What stands on a response that is not sent. */
export function headersOf(response: { getHeaders(): object }): HeaderLines {
  return Object.entries(response.getHeaders())
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => linesOf(name, value))
}

function setHead(response: ServerResponse, status: number, headers: HeaderLines): void {
  const lines = Map.groupBy(headers, ([name]) => name)
  for (const name of response.getHeaderNames()) if (!lines.has(name)) response.removeHeader(name)
  for (const [name, values] of lines) {
    const [first = '', ...more] = values.map(([, value]) => value)
    response.setHeader(name, more.length === 0 ? first : [first, ...more])
  }
  response.statusCode = status
}

/** Aborted when the client goes before it has its answer. */
export function goneOf(response: ServerResponse): AbortController {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  return gone
}

function aborted(signal: AbortSignal, stop: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true, signal: stop })
  return promise
}

/** A socket that does not close, to those who would stop their work if it did. */
function lasting<Socket extends NodeJS.EventEmitter & { readonly writable: boolean }>(
  socket: Socket,
): Socket {
  const endings: ReadonlySet<unknown> = new Set(['close', 'error', 'end'])
  const listen =
    (method: 'on' | 'once' | 'addListener' | 'prependListener') =>
    (event: string, listener: (...args: unknown[]) => void): Socket => {
      if (!endings.has(event)) socket[method](event, listener)
      return stand
    }
  const stand: Socket = Object.create(socket, {
    on: { value: listen('on') },
    once: { value: listen('once') },
    addListener: { value: listen('addListener') },
    prependListener: { value: listen('prependListener') },
    writable: { value: true },
    destroyed: { value: false },
  })
  return stand
}

function entriesOf(headers: unknown): [string, string | number | readonly string[]][] {
  if (Array.isArray(headers)) {
    const flat: unknown[] = headers.flat()
    return Array.from({ length: flat.length / 2 }, (_, n) => [String(flat[2 * n]), String(flat[2 * n + 1])])
  }
  return typeof headers === 'object' && headers !== null
    ? Object.entries(headers).filter(([, value]) => value !== undefined)
    : []
}

function linesOf(name: string, value: unknown): HeaderLines {
  const lines: readonly unknown[] = Array.isArray(value) ? value : [value]
  return lines.map((line) => [name, String(line)] as const)
}

function bytesOf(chunk: unknown, encoding: unknown): Uint8Array {
  if (typeof chunk === 'string') {
    return Buffer.from(chunk, typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8')
  }
  if (chunk instanceof Uint8Array) return chunk
  throw new TypeError('the chunk must be a string or a Uint8Array')
}

function callbackOf(...from: readonly unknown[]): Callback | undefined {
  return from.find((each): each is Callback => typeof each === 'function')
}
