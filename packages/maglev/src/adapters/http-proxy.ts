import { createServer, type IncomingMessage, type Server, ServerResponse, STATUS_CODES } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Emitter } from '../emitter.ts'
import { MaglevError } from '../errors.ts'
import type { Maglev } from '../maglev.ts'
import type { RoutedRequest } from '../route/hash-policy.ts'
import { type Balancer, toBalancer } from './balancer.ts'
import { announcedSource, type ConnectionSource, directSource } from './connection-source.ts'
import { ClientConnection, type Fault, type Turn } from './http-client-connection.ts'
import { BackendConnections } from './http-connections.ts'
import { type HttpEndEvent, type HttpProxyEvents, type HttpProxyStats, httpChannels } from './http-events.ts'
import { answer, carry, type Exchange, type ExchangeEnd, type Gateway } from './http-exchange.ts'
import { forwardedClient } from './http-forwarded.ts'
import { type RequestHead, readRequestHead } from './http-head.ts'
import { checkHttpOptions, type HttpProxyOptions, type HttpSettings } from './http-options.ts'
import { requestFields } from './http-request-fields.ts'
import { hasBody, offersWebSocket, withoutUpgrade } from './http-upgrade.ts'
import { type ListenOptions, listen } from './listen.ts'
import type { Endpoint } from './proxy-protocol.ts'

export type { HashPolicy, RoutedRequest } from '../route/hash-policy.ts'
export type { BackendLease, Balancer } from './balancer.ts'
export type { HttpEndEvent, HttpProxyEvents, HttpProxyStats, HttpRetryEvent } from './http-events.ts'
export type { ForwardedStyle } from './http-forwarded.ts'
export type { HttpProxyOptions } from './http-options.ts'
export type { ListenOptions } from './listen.ts'
export type { Endpoint } from './proxy-protocol.ts'
export type { TrustedSources } from './source-list.ts'

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
  const asked = toBalancer(balancer)
  return new HttpProxy(asked, checkHttpOptions(options, asked.maglev))
}

/** Made by {@link createHttpProxy}. */
export class HttpProxy implements AsyncDisposable {
  readonly #settings: HttpSettings
  readonly #gateway: Gateway
  readonly #emitter: Emitter<HttpProxyEvents> = new Emitter(httpChannels)
  readonly #server: Server
  readonly #backends: BackendConnections = new BackendConnections()
  readonly #connections = new Map<Socket, ClientConnection>()
  readonly #tunnels = new Map<Socket, Socket>()
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
  /** Called when no request is under way any more. */
  #onQuiet: (() => void) | undefined

  /** @internal */
  constructor(balancer: Balancer, settings: HttpSettings) {
    this.#settings = settings
    this.#gateway = {
      ...settings,
      balancer,
      connections: this.#backends,
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
    // A duration may have fractions, which node:http refuses.
    const headersTimeout = Math.ceil(this.#settings.headersTimeout)
    const server = createServer({
      noDelay: true,
      keepAlive: true,
      headersTimeout,
      // Bodies are as long as they are; `idleTimeout` watches over them.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.max(10, Math.ceil(Math.min(headersTimeout / 4, 5_000))),
      keepAliveTimeout: Math.ceil(this.#settings.keepAliveTimeout),
      maxHeaderSize: this.#settings.maxHeaderBytes,
      // It is refused with the others, after which nothing more is read from the connection.
      requireHostHeader: false,
      // Whatever the command line of this process says.
      insecureHTTPParser: false,
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
    const connection = new ClientConnection(
      directSource(socket),
      (turn, who) => this.#serve(turn, who),
      (fault) => this.#refuse(socket, fault),
    )
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

  #enqueue(request: IncomingMessage, response: ServerResponse, tunnel: Exchange['tunnel']): void {
    const connection = this.#connections.get(request.socket)
    const client = { gone: false, fault: undefined, giveUp: undefined }
    if (!connection?.add({ request, response, tunnel, client })) request.socket.destroy()
  }

  async #serve(turn: Turn, who: ConnectionSource): Promise<void> {
    const { request, response, tunnel } = turn
    const started = performance.now()
    this.#counts.active++
    const { method = '', url = '' } = request
    const end = await this.#exchange(turn, who)
    if (--this.#counts.active === 0) this.#onQuiet?.()
    const status = response.headersSent
      ? response.statusCode
      : tunnel && end.backend && !end.error
        ? 101
        : undefined
    this.#count(end.outcome, status)
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

  #count(outcome: HttpEndEvent['outcome'], status: number | undefined): void {
    this.#ended[outcome]++
    if (status !== undefined) this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
  }

  #exchange(turn: Turn, who: ConnectionSource): ExchangeEnd | Promise<ExchangeEnd> {
    const { request, response, client, tunnel } = turn
    const { method = '', url = '', rawHeaders, httpVersion } = request
    const refuse = (status: number, error: Error): ExchangeEnd => {
      // The next bytes may be anything.
      response.shouldKeepAlive = false
      answer(response, status)
      return { outcome: 'refused', backend: undefined, error }
    }
    if (client.fault) return refuse(client.fault.status, client.fault.error)
    const head = readRequestHead({ method, url, rawHeaders, httpVersion })
    if ('status' in head) return refuse(head.status, new Error(head.reason))
    if (tunnel && head.body !== 'none') return refuse(400, new Error('A handshake with a body'))
    let hash: ReturnType<HttpSettings['route']>
    try {
      hash = this.#settings.route(this.#routed(request, head, who))
    } catch (error) {
      return refuse(500, error instanceof Error ? error : new Error(String(error)))
    }
    const { forwarded, trusts, via } = this.#settings
    const peer = who.source.address
    const headers = requestFields(head, {
      peer,
      trusted: trusts(peer, peer),
      forwarded,
      via: via === undefined ? undefined : `${httpVersion} ${via}`,
      webSocket: tunnel !== undefined,
    })
    const key = hash.key ?? Math.floor(Math.random() * 2 ** 53)
    return carry(
      { request, response, client, head, headers, key, cookies: hash.cookies, tunnel },
      this.#gateway,
    )
  }

  #routed(
    request: IncomingMessage,
    { path }: RequestHead,
    { source, destination }: ConnectionSource,
  ): RoutedRequest {
    const { forwarded, trusts } = this.#settings
    const peer = source.address
    const address = forwardedClient(request.rawHeaders, forwarded, peer, (one) => trusts(one, peer))
    const remote = address === peer ? source : { address, port: 0 }
    return new HttpRoutedRequest(request, path, remote, destination)
  }

  #upgrade(request: IncomingMessage, head: Buffer, parse: (socket: Socket) => void): void {
    const client = request.socket
    const connection = this.#connections.get(client)
    // It would overtake the requests before it.
    if (connection === undefined || !connection.isIdle) {
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
    const { code = '' } = error
    const connection = socket instanceof Socket ? this.#connections.get(socket) : undefined
    const leaves = code === 'HPE_INVALID_EOF_STATE' && !connection?.isIdle
    const wrong = code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT'
    const status = errorStatuses[code] ?? 400
    if (!socket.writable || !wrong || leaves || !connection?.stumble({ status, error })) socket.destroy()
  }

  /** Of what is no request, or not a whole one. */
  #refuse(socket: Socket, { status }: Fault): void {
    this.#count('refused', status)
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
    if (this.#counts.active > 0) await new Promise<void>((resolve) => (this.#onQuiet = resolve))
    clearTimeout(timer)
    this.#backends.destroy()
  }
}

/** What a key is made of; the fields are read only where it asks for them. */
class HttpRoutedRequest implements RoutedRequest {
  readonly path: string
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly #request: IncomingMessage

  constructor(request: IncomingMessage, path: string, remote: Endpoint, local: Endpoint) {
    this.#request = request
    this.path = path
    this.remote = remote
    this.local = local
  }

  get headers(): RoutedRequest['headers'] {
    return this.#request.headersDistinct
  }
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
