import {
  Agent,
  createServer,
  type IncomingMessage,
  type Server,
  ServerResponse,
  STATUS_CODES,
} from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Emitter } from '../emitter.ts'
import { MaglevError } from '../errors.ts'
import type { Maglev } from '../maglev.ts'
import type { RoutedRequest } from '../route/hash-policy.ts'
import { type Balancer, toBalancer } from './balancer.ts'
import { announcedSource, type ConnectionSource, directSource } from './connection-source.ts'
import { type HttpEndEvent, type HttpProxyEvents, type HttpProxyStats, httpChannels } from './http-events.ts'
import { answer, carry, type Exchange, type Gateway } from './http-exchange.ts'
import { forwardedClient, forwardedHeaders } from './http-forwarded.ts'
import { type RequestHead, readRequestHead } from './http-head.ts'
import { endToEnd, filterFields, listed } from './http-hop.ts'
import { checkHttpOptions, type HttpProxyOptions, type HttpSettings } from './http-options.ts'
import { hasBody, offersWebSocket, withoutUpgrade } from './http-upgrade.ts'
import { type ListenOptions, listen } from './listen.ts'

export type { HashPolicy, RoutedRequest } from '../route/hash-policy.ts'
export type { BackendLease, Balancer } from './balancer.ts'
export type { HttpEndEvent, HttpProxyEvents, HttpProxyStats, HttpRetryEvent } from './http-events.ts'
export type { ForwardedStyle } from './http-forwarded.ts'
export type { HttpProxyOptions } from './http-options.ts'
export type { ListenOptions } from './listen.ts'
export type { Endpoint } from './proxy-protocol.ts'
export type { TrustedSources } from './source-list.ts'

/** Requests that a client may send on one connection ahead of their responses; they are carried one at a time. */
const pipelinedMax = 32
/** Idle connections to one backend, and for how long: below what servers close after, so that few die in use. */
const idleSocketsMax = 256
const idleSocketMs = 4_000

/**
 * An HTTP/1.1 reverse proxy that sends each request to the backend its key belongs to.
 *
 * ```ts
 * await using pool = createPool(new Maglev(['10.0.0.1:80', '10.0.0.2:80']), { active: { path: '/healthz' } })
 * await using proxy = createHttpProxy(pool, { key: [{ header: 'x-user' }] })
 * await proxy.listen({ port: 8080 })
 * ```
 *
 * @throws MaglevError `INVALID_OPTION`
 */
export function createHttpProxy(balancer: Maglev | Balancer, options: HttpProxyOptions = {}): HttpProxy {
  return new HttpProxy(toBalancer(balancer), checkHttpOptions(options))
}

/** Made by {@link createHttpProxy}. */
export class HttpProxy implements AsyncDisposable {
  readonly #settings: HttpSettings
  readonly #gateway: Gateway
  readonly #emitter: Emitter<HttpProxyEvents> = new Emitter(httpChannels)
  readonly #server: Server
  readonly #agent: Agent = new Agent({
    keepAlive: true,
    maxFreeSockets: idleSocketsMax,
    timeout: idleSocketMs,
    scheduling: 'lifo',
  })
  readonly #connections = new Map<Socket, Connection>()
  readonly #tunnels = new Map<Socket, Socket>()
  readonly #serving = new Set<Promise<void>>()
  readonly #counts = { accepted: 0, dropped: 0, active: 0, retries: 0, received: 0, sent: 0 }
  readonly #ended: Record<HttpEndEvent['outcome'], number> = {
    finished: 0,
    refused: 0,
    'no-backend': 0,
    unreachable: 0,
    'timed-out': 0,
    'client-abort': 0,
    'backend-abort': 0,
  }
  readonly #statuses = new Map<number, number>()
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(balancer: Balancer, settings: HttpSettings) {
    this.#settings = settings
    this.#gateway = {
      ...settings,
      balancer,
      agent: this.#agent,
      closing: () => this.#closing !== undefined,
      onRetry: (event) => {
        this.#counts.retries++
        this.#emitter.emit('retry', () => ({ proxy: this, ...event }))
      },
      onTunnel: (client, backend) => {
        this.#tunnels.set(client, backend)
        return () => this.#tunnels.delete(client)
      },
    }
    this.#server = this.#createServer()
  }

  /**
   * Starts to accept connections and resolves with where.
   *
   * @throws the system's error, such as `EADDRINUSE`; MaglevError `PROXY_CLOSED`
   */
  async listen(options: ListenOptions): Promise<AddressInfo> {
    if (this.#closing) throw new MaglevError('PROXY_CLOSED', 'This proxy was closed: make another one')
    return listen(this.#server, options, () => void this.close())
  }

  /**
   * Accepts no more connections and resolves when requests and WebSockets have finished, or were reset after `drainTimeout`.
   * Calling it again gives the same promise.
   */
  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  stats(): HttpProxyStats {
    let { received, sent } = this.#counts
    for (const socket of this.#connections.keys()) {
      received += socket.bytesRead
      sent += socket.bytesWritten
    }
    return {
      open: this.#connections.size,
      tunnels: this.#tunnels.size,
      ...this.#counts,
      received,
      sent,
      ended: { ...this.#ended },
      statuses: new Map(this.#statuses),
    }
  }

  /** Calls `listener` on each event until the function that it returns is called. */
  on<Name extends keyof HttpProxyEvents>(
    name: Name,
    listener: (event: HttpProxyEvents[Name]) => void,
  ): () => void {
    return this.#emitter.on(name, listener)
  }

  #createServer(): Server {
    const { headersTimeout } = this.#settings
    const server = createServer({
      noDelay: true,
      keepAlive: true,
      headersTimeout,
      // Bodies are as long as they are; `idleTimeout` watches over them.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.max(10, Math.min(headersTimeout / 4, 5_000)),
      keepAliveTimeout: this.#settings.keepAliveTimeout,
      maxHeaderSize: this.#settings.maxHeaderBytes,
      // It is refused with the others, after which nothing more is read from the connection.
      requireHostHeader: false,
      shouldUpgradeCallback: offersWebSocket,
    })
    server.maxConnections = this.#settings.maxConnections
    // Without it node:http drops the fields beyond 1,000 in silence; their bytes are limited anyway.
    server.maxHeadersCount = 0
    const parsers = server.listeners('connection')
    server.removeAllListeners('connection')
    const parse = (socket: Socket): void => {
      for (const parser of parsers) parser.call(server, socket)
    }
    server.on('connection', (socket) => void this.#connect(socket, parse))
    server.on('drop', () => this.#counts.dropped++)
    const serve = (request: IncomingMessage, response: ServerResponse): void =>
      this.#enqueue(request, response, undefined)
    server.on('request', serve)
    // The backend decides whether the client may go on.
    server.on('checkContinue', serve)
    server.on('checkExpectation', serve)
    server.on('upgrade', (request, _, head) => this.#upgrade(request, head, parse))
    server.on('connect', (_, socket) => refuseRaw(socket, 501))
    server.on('clientError', (error, socket) => this.#clientError(error, socket))
    return server
  }

  async #connect(socket: Socket, parse: (socket: Socket) => void): Promise<void> {
    const connection: Connection = { who: directSource(socket), waiting: 0, last: undefined, over: false }
    this.#counts.accepted++
    this.#connections.set(socket, connection)
    socket.on('error', () => {})
    socket.once('close', () => {
      this.#connections.delete(socket)
      this.#counts.received += socket.bytesRead
      this.#counts.sent += socket.bytesWritten
    })
    try {
      if (this.#settings.announces(socket.remoteAddress)) {
        connection.who = await announcedSource(socket, this.#settings.connectTimeout)
      }
      parse(socket)
    } catch {
      if (!socket.destroyed) socket.resetAndDestroy()
    }
  }

  /** Requests of one connection are carried one after the other: a later one may build on an earlier one. */
  #enqueue(request: IncomingMessage, response: ServerResponse, tunnel: Exchange['tunnel']): void {
    const connection = this.#connections.get(request.socket)
    if (connection === undefined || connection.waiting === pipelinedMax) {
      request.socket.destroy()
      return
    }
    const before = connection.waiting++ > 0 ? connection.last : undefined
    const served = this.#inTurn(before, connection, request, response, tunnel).finally(() => {
      this.#serving.delete(served)
    })
    this.#serving.add(served)
    connection.last = served
  }

  async #inTurn(
    before: Promise<void> | undefined,
    connection: Connection,
    request: IncomingMessage,
    response: ServerResponse,
    tunnel: Exchange['tunnel'],
  ): Promise<void> {
    // At once where possible: a refusal has to be written before the parser stumbles over what follows.
    if (before) await before
    // What comes after a response that says it is the last one is not a request any more.
    connection.over ||= request.socket.destroyed
    if (!connection.over) await this.#serve(request, response, connection.who, tunnel)
    connection.over ||= !response.shouldKeepAlive
    connection.waiting--
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    who: ConnectionSource,
    tunnel: Exchange['tunnel'],
  ): Promise<void> {
    const started = performance.now()
    this.#counts.active++
    const { method = '', url = '' } = request
    const end = await this.#exchange(request, response, who, tunnel)
    this.#counts.active--
    const status = response.headersSent
      ? response.statusCode
      : tunnel && end.backend && !end.error
        ? 101
        : undefined
    this.#ended[end.outcome]++
    if (status !== undefined) this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
    this.#emitter.emit('end', () => ({
      proxy: this,
      method,
      path: url,
      source: who.source,
      status,
      milliseconds: performance.now() - started,
      ...end,
    }))
  }

  async #exchange(
    request: IncomingMessage,
    response: ServerResponse,
    who: ConnectionSource,
    tunnel: Exchange['tunnel'],
  ): Promise<Pick<HttpEndEvent, 'outcome' | 'backend' | 'error'>> {
    const { method = '', url = '', rawHeaders, httpVersion } = request
    const refuse = (status: number, error: Error): Pick<HttpEndEvent, 'outcome' | 'backend' | 'error'> => {
      // The next bytes may be anything.
      response.shouldKeepAlive = false
      answer({ request, response }, status)
      return { outcome: 'refused', backend: undefined, error }
    }
    const head = readRequestHead({ method, url, rawHeaders, httpVersion })
    if ('status' in head) return refuse(head.status, new Error(head.reason))
    if (tunnel && head.body !== 'none') return refuse(400, new Error('A handshake with a body'))
    let hash: ReturnType<HttpSettings['route']>
    try {
      hash = this.#settings.route(this.#routed(request, head, who))
    } catch (error) {
      return refuse(500, error instanceof Error ? error : new Error(String(error)))
    }
    const key = hash.key ?? Math.floor(Math.random() * 2 ** 53)
    const headers = this.#requestHeaders(request, head, who)
    return carry({ request, response, head, headers, key, cookies: hash.cookies, tunnel }, this.#gateway)
  }

  #routed(request: IncomingMessage, head: RequestHead, who: ConnectionSource): RoutedRequest {
    const { forwarded, trusts } = this.#settings
    const peer = who.source.address
    const address = forwardedClient(head.headers, forwarded, peer, (one) => trusts(one, peer))
    return {
      get headers() {
        return request.headersDistinct
      },
      path: head.path,
      remote: { address, port: address === peer ? who.source.port : 0 },
      local: who.destination,
    }
  }

  #requestHeaders(request: IncomingMessage, head: RequestHead, who: ConnectionSource): string[] {
    const { forwarded, trusts, via } = this.#settings
    const peer = who.source.address
    const old = request.httpVersion === '1.0'
    const fields = filterFields(
      endToEnd(head.headers),
      (name) => name !== 'host' && !(old && name === 'expect'),
    )
    const facts = { peer, host: head.host, proto: 'http' } as const
    const headers = forwardedHeaders(fields, forwarded, trusts(peer, peer), facts)
    if (listed(head.headers, 'te').includes('trailers')) headers.push('TE', 'trailers')
    if (via !== undefined) headers.push('Via', `${request.httpVersion} ${via}`)
    return headers
  }

  #upgrade(request: IncomingMessage, head: Buffer, parse: (socket: Socket) => void): void {
    const client = request.socket
    const connection = this.#connections.get(client)
    // It would overtake the requests before it.
    if (connection === undefined || connection.waiting > 0) {
      client.destroy()
      return
    }
    if (!offersWebSocket(request)) {
      // Only a Node before 24.9 asks. It has begun to read a body where there is one, and cannot go back.
      if (hasBody(request)) return refuseRaw(client, 501)
      client.unshift(Buffer.concat([withoutUpgrade(request), head]))
      return parse(client)
    }
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(client)
    response.once('finish', () => client.destroySoon())
    this.#enqueue(request, response, { client, head })
  }

  #clientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const busy = !(socket instanceof Socket) || this.#connections.get(socket)?.waiting !== 0
    // With a response under way whatever is written would become part of it.
    if (busy || !socket.writable || error.code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    const status = errorStatuses[error.code ?? ''] ?? 400
    this.#ended.refused++
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
    refuseRaw(socket, status)
  }

  async #drain(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    const timer = setTimeout(() => {
      for (const client of this.#connections.keys()) client.resetAndDestroy()
      for (const backend of this.#tunnels.values()) backend.resetAndDestroy()
    }, this.#settings.drainTimeout)
    await closed
    await Promise.all(this.#serving)
    clearTimeout(timer)
    this.#agent.destroy()
  }
}

/** A client's connection. */
interface Connection {
  who: ConnectionSource
  /** Requests that have no whole response yet. */
  waiting: number
  /** The one that came last. */
  last: Promise<void> | undefined
  /** The client was told that the connection is closed. */
  over: boolean
}

/** What node:http calls what it refuses to read. */
const errorStatuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

function refuseRaw(socket: Duplex, status: number): void {
  const body = `${status} ${STATUS_CODES[status]}\n`
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n`
  socket.end(`${head}Content-Length: ${body.length}\r\n\r\n${body}`, () => socket.destroy())
}
