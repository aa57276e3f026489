import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { HarnessError } from '../errors.ts'
import { type Duration, toMs } from './duration.ts'
import { connectToSelf, type OwnConnection, portOf } from './loopback-port.ts'
import { type LaneFaults, type LaneTotals, ProxyLane, resetSocket } from './proxy-lane.ts'
import { seeded } from './seeded.ts'

/** `upstream`: from the client to the target. `downstream`: from the target to the client. */
export type Direction = 'upstream' | 'downstream'

export interface TcpProxyOptions {
  /** Where connections go: `'127.0.0.1:5432'`, or a URL with a port such as a service's `url`. */
  target: string
  /** Of the jitter. Default 1. */
  seed?: number
}

export interface DirectionStats extends LaneTotals {
  /** Bytes held by the proxy at this moment. */
  buffered: number
}

export interface TcpProxyStats extends Record<Direction, DirectionStats> {
  /** Connections accepted so far. */
  accepted: number
  /** Connections of which at least one side is open. */
  open: number
}

const directions: readonly Direction[] = ['upstream', 'downstream']

/**
 * A TCP proxy on loopback that does to live connections what networks do. Made by {@link tcpProxy}.
 *
 * Every fault holds for all connections, those that are open and those to come, until {@link TcpProxy.heal}. Without
 * `direction` it holds for both. Faults add up; setting one again replaces it.
 */
export class TcpProxy implements AsyncDisposable {
  readonly host: string = '127.0.0.1'
  readonly port: number
  /** The target's URL with the proxy's address in it, to give to a client; `tcp://…` where the target was no URL. */
  readonly url: string
  readonly #target: Target
  readonly #random: () => number
  readonly #connections = new Set<Connection>()
  readonly #faults: Record<Direction, LaneFaults> = { upstream: noFaults(), downstream: noFaults() }
  readonly #totals: Record<Direction, LaneTotals> = { upstream: noTotals(), downstream: noTotals() }
  /** Keeps the port from others while it is refused. */
  readonly #hold: OwnConnection
  #accepted = 0
  #listener: Server | undefined
  #refusing = false
  #closed = false
  #reopening: Promise<void> | undefined

  /** @internal */
  constructor(target: Target, listener: Server, hold: OwnConnection, random: () => number) {
    this.#target = target
    this.#random = random
    this.port = portOf(listener)
    this.url = target.urlThrough(`127.0.0.1:${this.port}`)
    this.#listener = listener
    this.#hold = hold
    this.#serve(listener)
  }

  /** Delays what is sent from now on by `delay`, plus or minus a random part of up to `jitter`; order is kept. */
  latency(
    delay: Duration,
    { jitter = 0, direction }: { jitter?: Duration; direction?: Direction } = {},
  ): void {
    this.#change(direction, { latencyMs: toMs('latency', delay), jitterMs: toMs('jitter', jitter) })
  }

  /**
   * Lets at most so many bytes pass in a second, on each connection. 0 holds everything back and loses nothing: a
   * partition that heals, seen by TCP. The sender soon has to wait, since the proxy holds at most 1 MiB.
   */
  bandwidth(bytesPerSecond: number, { direction }: { direction?: Direction } = {}): void {
    if (typeof bytesPerSecond !== 'number' || !(bytesPerSecond >= 0)) {
      throw new HarnessError(
        'BAD_OPTION',
        `bandwidth must be a number of bytes per second, at least 0, got ${String(bytesPerSecond)}`,
      )
    }
    this.#change(direction, { bytesPerSecond })
  }

  /**
   * Swallows every byte and every end of connection, those held included; the sender goes on without an error. While
   * `upstream` is a black hole, new connections are accepted and do not reach the target. A connection that lost
   * something is reset when healed, because TCP never delivers a stream with a gap.
   */
  blackHole({ direction }: { direction?: Direction } = {}): void {
    this.#change(direction, { blackHole: true })
  }

  /**
   * The end of one side, orderly or not, no longer reaches the other, which goes on talking to nobody. Bytes still
   * pass. `upstream` withholds the client's end from the target. Healing delivers the ends withheld.
   */
  halfOpen({ direction }: { direction?: Direction } = {}): void {
    this.#change(direction, { halfOpen: true })
  }

  /** Closes both sides of all open connections in good order (FIN). What the proxy still held is lost. */
  cut(): void {
    for (const connection of this.#connections) connection.cut()
  }

  /** Resets both sides of all open connections (RST): `ECONNRESET` for who uses them. */
  reset(): void {
    for (const connection of this.#connections) connection.reset()
  }

  /** New connections are refused (`ECONNREFUSED`); open ones stay. */
  refuse(): void {
    this.#refusing = true
    this.#listener?.close()
    this.#listener = undefined
  }

  /**
   * Takes back every fault. What was delayed or held back is delivered at once.
   * @throws HarnessError `PROXY_NOT_LISTENING` when the port was taken by another process while it refused.
   */
  async heal(): Promise<void> {
    for (const direction of directions) this.#change(direction, noFaults())
    for (const connection of this.#connections) connection.heal()
    if (this.#closed) return
    this.#refusing = false
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = undefined
    })
    await this.#reopening
  }

  stats(): TcpProxyStats {
    const of = (direction: Direction): DirectionStats => {
      let buffered = 0
      for (const connection of this.#connections) buffered += connection.lanes?.[direction].buffered ?? 0
      return { ...this.#totals[direction], buffered }
    }
    return {
      accepted: this.#accepted,
      open: this.#connections.size,
      upstream: of('upstream'),
      downstream: of('downstream'),
    }
  }

  /** Resets all connections and stops listening. */
  async close(): Promise<void> {
    this.#closed = true
    const listener = this.#listener
    this.refuse()
    this.reset()
    const closed = listener === undefined ? undefined : once(listener, 'close')
    await this.#hold[Symbol.asyncDispose]()
    await closed
    await this.#reopening?.catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #change(direction: Direction | undefined, faults: Partial<LaneFaults>): void {
    if (direction !== undefined && !directions.includes(direction)) {
      throw new HarnessError(
        'BAD_OPTION',
        `direction must be upstream or downstream, got ${JSON.stringify(direction)}`,
      )
    }
    for (const one of direction === undefined ? directions : [direction]) {
      Object.assign(this.#faults[one], faults)
      for (const connection of this.#connections) connection.lanes?.[one].changed()
    }
  }

  async #reopen(): Promise<void> {
    if (this.#listener !== undefined) return
    const listener = await listen(this.port)
    if (this.#refusing) {
      listener.close()
      return
    }
    this.#listener = listener
    this.#serve(listener)
  }

  #serve(listener: Server): void {
    listener.on('connection', (client) => {
      this.#accepted++
      const connection = new Connection(client, () => this.#connections.delete(connection))
      this.#connections.add(connection)
      if (this.#faults.upstream.blackHole) connection.swallow(this.#totals.upstream)
      else connection.dial(this.#target, this.#faults, this.#totals, this.#random)
    })
  }
}

/**
 * Starts a TCP proxy on a free port of loopback.
 * @throws HarnessError `BAD_OPTION` when `target` has no host and port.
 */
export async function tcpProxy({ target, seed = 1 }: TcpProxyOptions): Promise<TcpProxy> {
  const parsed = parseTarget(target)
  if (!Number.isSafeInteger(seed)) {
    throw new HarnessError('BAD_OPTION', `seed must be a whole number, got ${String(seed)}`)
  }
  const listener = await listen(0)
  return new TcpProxy(parsed, listener, await connectToSelf(listener), seeded(seed))
}

class Connection {
  /** None where the connection was accepted into a black hole and the target knows nothing of it. */
  lanes: Record<Direction, ProxyLane> | undefined
  readonly #client: Socket
  readonly #onClose: () => void
  #server: Socket | undefined

  constructor(client: Socket, onClose: () => void) {
    this.#client = client
    this.#onClose = onClose
    client.setNoDelay(true)
    client.on('error', () => {})
    client.on('close', () => {
      if (this.#server?.destroyed ?? true) onClose()
    })
  }

  swallow(totals: LaneTotals): void {
    this.#client.on('data', (data: Buffer) => {
      totals.received += data.length
      totals.lost += data.length
    })
  }

  dial(
    target: Target,
    faults: Record<Direction, LaneFaults>,
    totals: Record<Direction, LaneTotals>,
    random: () => number,
  ): void {
    const server = connect({ host: target.host, port: target.port, allowHalfOpen: true, noDelay: true })
    this.#server = server
    server.on('error', () => {})
    server.on('close', () => {
      if (this.#client.destroyed) this.#onClose()
    })
    this.lanes = {
      upstream: new ProxyLane(this.#client, server, faults.upstream, totals.upstream, random),
      downstream: new ProxyLane(server, this.#client, faults.downstream, totals.downstream, random),
    }
  }

  cut(): void {
    this.#stopLanes()
    for (const socket of this.#sockets()) {
      // As after close(2): who goes on sending after the end learns it by a reset.
      socket.once('finish', () => socket.once('data', () => resetSocket(socket)))
      socket.end()
      socket.resume()
    }
  }

  reset(): void {
    this.#stopLanes()
    for (const socket of this.#sockets()) resetSocket(socket)
  }

  heal(): void {
    const { upstream, downstream } = this.lanes ?? {}
    if (upstream === undefined || downstream === undefined || upstream.gap || downstream.gap) {
      this.reset()
      return
    }
    upstream.hurry()
    downstream.hurry()
  }

  #stopLanes(): void {
    this.lanes?.upstream.stop()
    this.lanes?.downstream.stop()
  }

  #sockets(): Socket[] {
    return this.#server === undefined ? [this.#client] : [this.#client, this.#server]
  }
}

interface Target {
  host: string
  port: number
  urlThrough(address: string): string
}

function parseTarget(target: string): Target {
  const isText = typeof target === 'string'
  const url = isText ? URL.parse(target.includes('://') ? target : `tcp://${target}`) : null
  // A URL drops the port that is the usual one of its scheme, as 80 of http, where it is written out too.
  const port = url?.port || (isText && /^https?:\/\/[^/]*:(80|443)(?:\/|$)/.exec(target)?.[1])
  if (url === null || url.hostname === '' || !port) {
    throw new HarnessError(
      'BAD_OPTION',
      `target must be host:port or a URL with a port, got ${JSON.stringify(target)}`,
    )
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port),
    urlThrough: (address) => {
      const through = new URL(url)
      through.host = address
      return through.href
    },
  }
}

async function listen(port: number): Promise<Server> {
  const listener = createServer({ allowHalfOpen: true })
  listener.listen({ host: '127.0.0.1', port, exclusive: true })
  try {
    await once(listener, 'listening')
  } catch (cause) {
    throw new HarnessError('PROXY_NOT_LISTENING', `the proxy cannot listen on 127.0.0.1:${port}`, { cause })
  }
  return listener
}

const noFaults = (): LaneFaults => ({
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  blackHole: false,
  halfOpen: false,
})

const noTotals = (): LaneTotals => ({ received: 0, delivered: 0, lost: 0 })
