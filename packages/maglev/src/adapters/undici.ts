import { Readable } from 'node:stream'
import { Agent, Dispatcher, errors } from 'undici'
import type { ConfiguredBackend } from '../backend.ts'
import { isMaglevError, MaglevError, shown } from '../errors.ts'
import type { Key } from '../key-hash.ts'
import type { Maglev } from '../maglev.ts'
import { addressOf } from '../pool/address.ts'
import { type BackendLease, type Balancer, toBalancer } from './balancer.ts'
import { checkCount } from './count.ts'

export type { BackendLease, Balancer } from './balancer.ts'

/** What a key is made of. */
export interface DispatchedRequest {
  /** Where the caller meant to go; a backend takes its place. */
  readonly origin: string | undefined
  readonly path: string
  readonly method: string
  /** By lower-case name; repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>
}

export interface MaglevDispatcherOptions<T = unknown> {
  /** What a request is routed by. Undefined: any backend. */
  readonly key: (request: DispatchedRequest) => Key | undefined
  /** `http://host:port` or `https://host:port` of a backend. Default: `http://` and its `address` or id. */
  readonly origin?: (backend: ConfiguredBackend<T>) => string | URL
  /** Backends tried after the first one could not be connected to; nothing has been sent by then. Default 2. */
  readonly retries?: number
  /** Options of the `Agent` that holds a pool of connections for each origin. */
  readonly agent?: Agent.Options
}

/**
 * An undici dispatcher that sends each request to the backend its key belongs to. The path of a request counts, its origin
 * does not; `Host` is the backend's unless the request has one.
 *
 * ```ts
 * await using pool = createPool(new Maglev(['10.0.0.1:80', '10.0.0.2:80']), { outlier: true })
 * const dispatcher = new MaglevDispatcher(pool, { key: ({ headers }) => headers['x-user'] })
 * await request('http://service/orders', { dispatcher, headers: { 'x-user': '42' } })
 * await dispatcher.close()
 * ```
 *
 * A request fails with MaglevError `NO_BACKEND` where none is available, with undici's own error where none can be reached.
 */
export class MaglevDispatcher<T = unknown> extends Dispatcher implements AsyncDisposable {
  readonly #balancer: Balancer<T>
  readonly #key: (request: DispatchedRequest) => Key | undefined
  readonly #origin: (backend: ConfiguredBackend<T>) => string | URL
  readonly #retries: number
  readonly #agent: Agent
  #ended: 'closed' | 'destroyed' | undefined

  /** @throws MaglevError `INVALID_OPTION` */
  constructor(balancer: Maglev<T> | Balancer<T>, options: MaglevDispatcherOptions<T>) {
    super()
    const { key, origin = httpOrigin, retries = 2 } = options ?? {}
    if (typeof key !== 'function') {
      throw new MaglevError('INVALID_OPTION', `key must be a function of the request, not ${shown(key)}`)
    }
    if (typeof origin !== 'function') {
      throw new MaglevError(
        'INVALID_OPTION',
        `origin must be a function of the backend, not ${shown(origin)}`,
      )
    }
    this.#balancer = toBalancer(balancer)
    this.#key = key
    this.#origin = origin
    this.#retries = checkCount('retries', retries, 0)
    this.#agent = agentOf(options.agent)
    this.#agent
      .on('connect', (url, targets) => this.emit('connect', url, [this, ...targets]))
      .on('disconnect', (url, targets, error) => this.emit('disconnect', url, [this, ...targets], error))
      .on('connectionError', (url, targets, error) =>
        this.emit('connectionError', url, [this, ...targets], error),
      )
      .on('drain', (url) => this.emit('drain', url))
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    let key: Key
    try {
      if (this.#ended === 'destroyed') throw new errors.ClientDestroyedError()
      if (this.#ended === 'closed') throw new errors.ClientClosedError()
      key = this.#key(dispatchedRequest(options)) ?? Math.floor(Math.random() * 2 ** 53)
    } catch (error) {
      fail(handler, error)
      return false
    }
    return this.#attempt(options, handler, key, new Set(), undefined)
  }

  /** Waits for the requests under way, then closes all connections. New ones fail with undici's `ClientClosedError`. */
  override close(): Promise<void>
  override close(callback: () => void): void
  override close(callback?: () => void): Promise<void> | void {
    this.#ended ??= 'closed'
    return callback ? this.#agent.close(callback) : this.#agent.close()
  }

  /** Breaks off all requests with `error`, and closes all connections. */
  override destroy(error?: Error | null): Promise<void>
  override destroy(callback: () => void): void
  override destroy(error: Error | null, callback: () => void): void
  override destroy(error?: Error | null | (() => void), callback?: () => void): Promise<void> | void {
    this.#ended = 'destroyed'
    if (typeof error === 'function') return this.#agent.destroy(error)
    return callback ? this.#agent.destroy(error ?? null, callback) : this.#agent.destroy(error ?? null)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended === undefined) await this.close()
  }

  #attempt(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    key: Key,
    tried: ReadonlySet<string>,
    failure: Error | undefined,
  ): boolean {
    let lease: BackendLease<T> | undefined
    try {
      lease = this.#balancer.acquire(key, { exclude: tried })
      const origin = this.#origin(lease.backend)
      const next = (id: string, error: Error): boolean => {
        if (tried.size === this.#retries || this.#ended !== undefined) return false
        this.#attempt(options, handler, key, new Set([...tried, id]), error)
        return true
      }
      return this.#agent.dispatch(
        { ...options, origin },
        new LeaseHandler(handler, {
          lease,
          body: options.body,
          next,
          destroyed: () => this.#ended === 'destroyed',
        }),
      )
    } catch (error) {
      lease?.[Symbol.dispose]()
      // That those tried could not be reached says more than that there is no other one.
      fail(handler, isMaglevError(error) && error.code === 'NO_BACKEND' ? (failure ?? error) : error)
      return false
    }
  }
}

function agentOf(options: Agent.Options | undefined): Agent {
  try {
    return new Agent(options)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : shown(cause)
    throw new MaglevError('INVALID_OPTION', `agent: ${reason}`, { cause })
  }
}

interface Dispatched {
  readonly lease: BackendLease
  readonly body: unknown
  /** Tries the next backend; false where that is not to be. */
  next(id: string, error: Error): boolean
  destroyed(): boolean
}

/** Passes everything on, holds the lease as long as the request lives and reports how it went. */
class LeaseHandler implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler
  readonly #dispatched: Dispatched
  readonly #lease: BackendLease
  #started = false
  #status = 0

  constructor(handler: Dispatcher.DispatchHandler, dispatched: Dispatched) {
    this.#handler = handler
    this.#dispatched = dispatched
    this.#lease = dispatched.lease
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#started = true
    this.#handler.onRequestStart?.(controller, context)
  }

  onRequestUpgrade(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>): void {
    const [, status, , socket] = args
    this.#lease.report(status)
    socket.once('close', () => this.#lease[Symbol.dispose]())
    this.#handler.onRequestUpgrade?.(...args)
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.()
  }

  onResponseStart(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>): void {
    const [, status] = args
    if (status >= 200) this.#status = status
    this.#handler.onResponseStart?.(...args)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk)
  }

  onResponseEnd(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseEnd']>>): void {
    this.#lease.report(this.#status)
    this.#lease[Symbol.dispose]()
    this.#handler.onResponseEnd?.(...args)
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    const ours = this.#isOurs(controller, error)
    if (!ours) this.#lease.report(this.#status === 0 ? 'gateway-failure' : 'failure')
    this.#lease[Symbol.dispose]()
    // Before the start nothing has been written, and nothing of a body read.
    if (!this.#started && !ours && this.#dispatched.next(this.#lease.id, error)) return
    this.#handler.onResponseError?.(controller, error)
  }

  /** Whether it broke on this side, which says nothing about the backend. */
  #isOurs(controller: Dispatcher.DispatchController | null, error: Error): boolean {
    if (controller?.aborted === true && error === controller.reason && this.#started) return true
    const { body, destroyed } = this.#dispatched
    if (destroyed() || (body instanceof Readable && body.errored === error)) return true
    return error instanceof errors.UndiciError && oursCodes.has(error.code)
  }

  onBodySent(chunk: Buffer): void {
    this.#handler.onBodySent?.(chunk)
  }

  onRequestSent(): void {
    this.#handler.onRequestSent?.()
  }
}

const oursCodes: ReadonlySet<string> = new Set([
  'UND_ERR_ABORTED',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
])

function httpOrigin(backend: ConfiguredBackend): string {
  const { host, port } = addressOf(backend)
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function dispatchedRequest({ origin, path, method, headers }: Dispatcher.DispatchOptions): DispatchedRequest {
  const byName = new Map<string, string>()
  for (const [name, value] of fieldsOf(headers)) {
    if (value === undefined) continue
    const lower = name.toLowerCase()
    const before = byName.get(lower)
    const text = Array.isArray(value) ? value.join(', ') : value
    byName.set(lower, before === undefined ? text : `${before}, ${text}`)
  }
  return { origin: origin?.toString(), path, method, headers: Object.fromEntries(byName) }
}

/** Headers in each of the forms that undici takes. */
function* fieldsOf(
  headers: Dispatcher.DispatchOptions['headers'],
): Generator<[string, string | string[] | undefined]> {
  if (headers === null || headers === undefined) return
  if (Array.isArray(headers)) {
    for (let n = 0; n < headers.length; n += 2) yield [String(headers[n]), headers[n + 1]]
  } else if (Symbol.iterator in headers && typeof headers[Symbol.iterator] === 'function') {
    yield* headers as Iterable<[string, string | string[] | undefined]>
  } else {
    yield* Object.entries(headers)
  }
}

/** As undici does: to the handler where it can take it. */
function fail(handler: Dispatcher.DispatchHandler, error: unknown): void {
  if (typeof handler?.onResponseError !== 'function') throw error
  const reason = error instanceof Error ? error : new Error(String(error))
  const nothing = (): void => {}
  handler.onResponseError(
    { aborted: true, paused: false, reason, abort: nothing, pause: nothing, resume: nothing },
    reason,
  )
}
