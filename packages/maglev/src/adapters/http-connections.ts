import { Agent, type AgentOptions, type ClientRequestArgs, type IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Idle connections to one backend, and for how long: below what servers close after, so that few die in use. */
const idleSocketsMax = 256
const idleSocketMs = 4_000
/** How much earlier than a backend says a connection is let go. */
const marginMs = 1_000

/** Without TLS there is no name of a server to find out for each request. */
const options: AgentOptions & { servername: string } = {
  keepAlive: true,
  maxFreeSockets: idleSocketsMax,
  servername: '',
}

/**
 * Connections to backends, kept between requests. What node:http's own agent works out anew for each request is done once for a
 * connection here, or not at all.
 */
export class BackendConnections extends Agent {
  /** Milliseconds that a connection may be idle, where its backend closes it sooner than is usual. */
  readonly #shorter = new WeakMap<Duplex, number>()

  constructor() {
    super(options)
  }

  /** Takes note of the `Keep-Alive` field of a response. */
  heed(response: IncomingMessage, keepAlive: string): void {
    const [, seconds] = /(?:^|,)\s*timeout=(\d+)/i.exec(keepAlive) ?? []
    if (seconds === undefined) return
    const ms = Math.max(0, Number(seconds) * 1_000 - marginMs)
    if (ms < idleSocketMs) this.#shorter.set(response.socket, ms)
  }

  override getName({ host, port }: ClientRequestArgs = {}): string {
    return `${host}:${port}`
  }

  /** False: it is closed. */
  override keepSocketAlive(socket: Duplex): boolean {
    const ms = this.#shorter.get(socket) ?? idleSocketMs
    if (ms === 0 || !(socket instanceof Socket)) return false
    socket.unref()
    if (socket.timeout !== ms) socket.setTimeout(ms)
    return true
  }
}
