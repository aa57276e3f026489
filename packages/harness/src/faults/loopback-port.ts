import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

const host = '127.0.0.1'
const [lowest, beyond] = [20_000, 32_000]

// Each is given once: who asks for several has listened on none of them yet. Half of them at most, so that one is found.
const given = new Set<number>()

/**
 * A port of loopback where nobody listens, below the range from which systems give ports to outgoing connections and
 * to listeners that ask for any: it stays free while its server is down, and until a program that is told it listens.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, beyond)
    if (given.has(port)) continue
    if (given.size > (beyond - lowest) / 2) given.clear()
    given.add(port)
    if (await isFree(port)) return port
  }
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  server.listen({ host, port, exclusive: true })
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}

/** A connection of this process with itself, through a listener of its own. */
export interface OwnConnection extends AsyncDisposable {
  /** Of the end that dialled. Nobody can listen there. */
  readonly nearPort: number
}

/**
 * While it lives, the system gives the listener's port to nobody who asks for any, also where the listener is closed:
 * who names the port can listen there again.
 */
export async function connectToSelf(listener: Server): Promise<OwnConnection> {
  const near = connect(portOf(listener), host)
  const ends = [near]
  const accepted = Promise.withResolvers<void>()
  const accept = (socket: Socket): void => {
    if (socket.remotePort !== near.localPort) return void socket.destroy()
    ends.unshift(socket)
    accepted.resolve()
  }
  listener.on('connection', accept)
  await once(near, 'connect')
  await accepted.promise
  listener.off('connection', accept)
  const { localPort: nearPort = 0 } = near
  for (const socket of ends) socket.on('error', () => {}).unref()
  return {
    nearPort,
    [Symbol.asyncDispose]: async () => {
      // A port lingers with the end that closes first: the far one, so that the near one is free at once.
      for (const socket of ends) {
        if (socket.closed) continue
        const closed = once(socket, 'close')
        socket.destroy()
        await closed
      }
    },
  }
}

/** A port that refuses connections until it is disposed of. Made by {@link refusedPort}. */
export interface RefusedPort extends AsyncDisposable {
  readonly port: number
  /** `127.0.0.1:port`. */
  readonly address: string
}

/**
 * A port of loopback that answers `ECONNREFUSED` for as long as it is held. One that was listened on and closed may be
 * given to another process at any moment; this one is the near end of an open connection, so nobody can listen there.
 */
export async function refusedPort(): Promise<RefusedPort> {
  const listener = createServer()
  listener.listen(0, host)
  await once(listener, 'listening')
  const held = await connectToSelf(listener)
  listener.close()
  return {
    port: held.nearPort,
    address: `${host}:${held.nearPort}`,
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  }
}

export function portOf(listener: Server): number {
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return address.port
}
