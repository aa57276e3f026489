import { channel } from 'node:diagnostics_channel'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type Duration, parsePositiveDuration } from '../duration.ts'
import { type Channels, Emitter } from '../emitter.ts'
import { isMaglevError, MaglevError, shown } from '../errors.ts'
import { wantObject } from '../given.ts'
import type { Key } from '../key-hash.ts'
import type { Maglev } from '../maglev.ts'
import { addressOf } from '../pool/address.ts'
import { type BackendLease, type Balancer, toBalancer } from './balancer.ts'
import { announcedSource, type ConnectionSource, directSource } from './connection-source.ts'
import { checkCount } from './count.ts'
import { dial } from './dial.ts'
import { type ListenOptions, listen } from './listen.ts'
import { formatProxyHeader } from './proxy-protocol.ts'
import { sourceList, type TrustedSources } from './source-list.ts'
import { type SpliceEnd, splice } from './splice.ts'

export type { BackendLease, Balancer } from './balancer.ts'
export type { ConnectionSource } from './connection-source.ts'
export type { ListenOptions } from './listen.ts'
export {
  type Endpoint,
  formatProxyHeader,
  type ProxyHeader,
  type ProxyTlv,
  parseProxyHeader,
  proxyHeaderMax,
} from './proxy-protocol.ts'
export type { TrustedSources } from './source-list.ts'

export interface TcpProxyOptions {
  /** What a connection is routed by. Default: the client's address, without its port. */
  readonly key?: (connection: ConnectionSource) => Key
  /**
   * Who sends a PROXY protocol header before its first byte. A connection from there without one is closed; one from
   * elsewhere is taken as it comes, so that nobody else can choose his address. Default false: nobody.
   */
  readonly acceptProxyProtocol?: TrustedSources
  /** Version of the PROXY protocol header that each backend gets first. Default: none is sent. */
  readonly sendProxyProtocol?: 1 | 2
  /** For each attempt to connect to a backend, and for an incoming PROXY protocol header. Default `'5s'`. */
  readonly connectTimeout?: Duration
  /** Backends tried after the first one could not be reached; no byte has been sent by then. Default 2. */
  readonly retries?: number
  /** A connection over which no byte passes for so long is reset. Default `'1h'`. */
  readonly idleTimeout?: Duration
  /** Open at the same time; further ones are closed at once. Default 10,000. */
  readonly maxConnections?: number
  /** How long `close` lets open connections finish before it resets them. Default `'30s'`. */
  readonly drainTimeout?: Duration
}

/** A backend could not be reached; the next one is tried. */
export interface TcpRetryEvent {
  readonly proxy: TcpProxy
  readonly backend: string
  /** 0 for the first backend tried. */
  readonly attempt: number
  readonly error: unknown
}

/** A connection is over. */
export interface TcpEndEvent extends ConnectionSource {
  readonly proxy: TcpProxy
  /**
   * `unreachable`: no backend could be connected to; `no-backend`: there was none to try; `refused`: its PROXY protocol header
   * was wrong or missing, or the option `key` threw; `closed`: reset by `close`. The others as they say.
   */
  readonly outcome: SpliceEnd['outcome'] | 'unreachable' | 'no-backend' | 'refused' | 'closed'
  /** The backend that served it. */
  readonly backend: string | undefined
  /** Bytes from the client. */
  readonly received: number
  /** Bytes to the client. */
  readonly sent: number
  readonly milliseconds: number
  readonly error: unknown
}

/** Also published to the channels `loadbearing:maglev:tcp-retry` and `:tcp-end` of `node:diagnostics_channel`. */
export interface TcpProxyEvents {
  retry: TcpRetryEvent
  end: TcpEndEvent
}

/** Counts since the proxy was made; `open` is now. */
export interface TcpProxyStats {
  readonly open: number
  readonly accepted: number
  /** Closed on arrival because of `maxConnections`. */
  readonly dropped: number
  readonly retries: number
  /** Bytes from clients. */
  readonly received: number
  /** Bytes to clients. */
  readonly sent: number
  /** Connections ended, by outcome. */
  readonly ended: Readonly<Record<TcpEndEvent['outcome'], number>>
}

const channels: Channels<TcpProxyEvents> = {
  retry: channel('loadbearing:maglev:tcp-retry'),
  end: channel('loadbearing:maglev:tcp-end'),
}

/**
 * A TCP proxy that sends each connection to the backend its key belongs to, for as long as the connection lasts.
 *
 * ```ts
 * await using pool = createPool(new Maglev(['10.0.0.1:80', '10.0.0.2:80']), { active: { type: 'tcp' } })
 * await using proxy = createTcpProxy(pool)
 * await proxy.listen({ port: 8080 })
 * ```
 *
 * @throws MaglevError `INVALID_OPTION`
 */
export function createTcpProxy(balancer: Maglev | Balancer, options: TcpProxyOptions = {}): TcpProxy {
  return new TcpProxy(toBalancer(balancer), checkOptions(options))
}

/** Made by {@link createTcpProxy}. */
export class TcpProxy implements AsyncDisposable {
  readonly #balancer: Balancer
  readonly #settings: Settings
  readonly #emitter: Emitter<TcpProxyEvents> = new Emitter(channels)
  readonly #server: Server
  /** Client to backend, once that is reached. */
  readonly #open = new Map<Socket, Socket | undefined>()
  readonly #serving = new Set<Promise<void>>()
  readonly #counts = { accepted: 0, dropped: 0, retries: 0, received: 0, sent: 0 }
  readonly #ended: Record<TcpEndEvent['outcome'], number> = {
    finished: 0,
    'client-reset': 0,
    'backend-reset': 0,
    idle: 0,
    unreachable: 0,
    'no-backend': 0,
    refused: 0,
    closed: 0,
  }
  #closing: Promise<void> | undefined
  /** Set when the time to drain is over: what ends from then on was ended by `close`. */
  #cut = false

  /** @internal */
  constructor(balancer: Balancer, settings: Settings) {
    this.#balancer = balancer
    this.#settings = settings
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (client) => {
      const served = this.#serve(client).finally(() => this.#serving.delete(served))
      this.#serving.add(served)
    })
    this.#server.maxConnections = settings.maxConnections
    this.#server.on('drop', () => this.#counts.dropped++)
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
   * Accepts no more connections and resolves when those open have finished, or were reset after `drainTimeout`. Calling it
   * again gives the same promise.
   */
  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  stats(): TcpProxyStats {
    let { received, sent } = this.#counts
    for (const client of this.#open.keys()) {
      received += client.bytesRead
      sent += client.bytesWritten
    }
    return { open: this.#open.size, ...this.#counts, received, sent, ended: { ...this.#ended } }
  }

  /** Calls `listener` on each event until the function that it returns is called. */
  on<Name extends keyof TcpProxyEvents>(
    name: Name,
    listener: (event: TcpProxyEvents[Name]) => void,
  ): () => void {
    return this.#emitter.on(name, listener)
  }

  async #serve(client: Socket): Promise<void> {
    const started = performance.now()
    this.#counts.accepted++
    this.#open.set(client, undefined)
    const gone = new AbortController()
    client.on('error', () => {})
    client.once('close', () => gone.abort())
    let who = directSource(client)
    let end: Pick<TcpEndEvent, 'outcome' | 'error'>
    let id: string | undefined
    try {
      if (this.#settings.announces(client.remoteAddress)) {
        who = await announcedSource(client, this.#settings.connectTimeout)
      }
      const { backend, lease: held } = await this.#reach(this.#settings.key(who), gone.signal)
      using lease = held
      id = lease.id
      this.#open.set(client, backend)
      const version = this.#settings.sendProxyProtocol
      if (version !== undefined) backend.write(formatProxyHeader(version, who.source, who.destination))
      end = await splice(client, backend, this.#settings.idleTimeout)
      lease.report(end.outcome === 'backend-reset' ? 'failure' : 'ok')
    } catch (error) {
      end = { outcome: gone.signal.aborted ? 'client-reset' : failedOutcome(error), error }
      if (!client.destroyed) client.resetAndDestroy()
    }
    this.#open.delete(client)
    const outcome = this.#cut && end.outcome !== 'finished' ? 'closed' : end.outcome
    const { bytesRead: received, bytesWritten: sent } = client
    this.#counts.received += received
    this.#counts.sent += sent
    this.#ended[outcome]++
    this.#emitter.emit('end', () => ({
      proxy: this,
      ...who,
      outcome,
      backend: id,
      received,
      sent,
      milliseconds: performance.now() - started,
      error: end.error,
    }))
  }

  /** Connects to the owner of `key`, or to the next one as long as that fails. */
  async #reach(key: Key, signal: AbortSignal): Promise<{ lease: BackendLease; backend: Socket }> {
    const tried = new Set<string>()
    let failure: unknown
    for (;;) {
      const lease = this.#acquire(key, tried, failure)
      try {
        return { lease, backend: await dial(addressOf(lease.backend), this.#settings.connectTimeout, signal) }
      } catch (error) {
        if (!signal.aborted) lease.report('gateway-failure')
        lease[Symbol.dispose]()
        if (signal.aborted || tried.size === this.#settings.retries) throw error
        failure = error
        this.#counts.retries++
        this.#emitter.emit('retry', () => ({ proxy: this, backend: lease.id, attempt: tried.size, error }))
        tried.add(lease.id)
      }
    }
  }

  /** The failure of those already tried says more than that there is no other one. */
  #acquire(key: Key, tried: ReadonlySet<string>, failure: unknown): BackendLease {
    try {
      return this.#balancer.acquire(key, { exclude: tried })
    } catch (error) {
      throw tried.size > 0 ? failure : error
    }
  }

  async #drain(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    const timer = setTimeout(() => {
      this.#cut = true
      for (const [client, backend] of this.#open) {
        client.resetAndDestroy()
        backend?.resetAndDestroy()
      }
    }, this.#settings.drainTimeout)
    await closed
    await Promise.all(this.#serving)
    clearTimeout(timer)
  }
}

interface Settings {
  readonly key: (connection: ConnectionSource) => Key
  readonly announces: (peer: string | undefined) => boolean
  readonly sendProxyProtocol: 1 | 2 | undefined
  readonly connectTimeout: number
  readonly retries: number
  readonly idleTimeout: number
  readonly maxConnections: number
  readonly drainTimeout: number
}

function checkOptions(options: TcpProxyOptions): Settings {
  wantObject('options', options)
  const { key = (connection) => connection.source.address, sendProxyProtocol } = options
  if (typeof key !== 'function') {
    throw new MaglevError('INVALID_OPTION', `key must be a function of the connection, not ${shown(key)}`)
  }
  if (sendProxyProtocol !== undefined && sendProxyProtocol !== 1 && sendProxyProtocol !== 2) {
    throw new MaglevError(
      'INVALID_OPTION',
      `sendProxyProtocol must be 1 or 2, not ${shown(sendProxyProtocol)}`,
    )
  }
  return {
    key,
    announces: sourceList('acceptProxyProtocol', options.acceptProxyProtocol ?? false),
    sendProxyProtocol,
    connectTimeout: parsePositiveDuration('connectTimeout', options.connectTimeout ?? '5s'),
    retries: checkCount('retries', options.retries ?? 2, 0),
    idleTimeout: parsePositiveDuration('idleTimeout', options.idleTimeout ?? '1h'),
    maxConnections: checkCount('maxConnections', options.maxConnections ?? 10_000, 1),
    drainTimeout: parsePositiveDuration('drainTimeout', options.drainTimeout ?? '30s'),
  }
}

function failedOutcome(error: unknown): TcpEndEvent['outcome'] {
  if (!isMaglevError(error)) return 'refused'
  if (error.code === 'NO_BACKEND' || error.code === 'POOL_CLOSED') return 'no-backend'
  const unreachable = ['BACKEND_UNREACHABLE', 'TIMED_OUT', 'INVALID_BACKEND'].includes(error.code)
  return unreachable ? 'unreachable' : 'refused'
}
