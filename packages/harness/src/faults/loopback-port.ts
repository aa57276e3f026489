import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

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
  const listening = listener.address()
  if (listening === null || typeof listening === 'string') throw new TypeError('no port')
  const near = connect(listening.port, host)
  const accepted = new Promise<Socket>((resolve) => {
    listener.on('connection', (socket) => {
      if (socket.remotePort === near.localPort) resolve(socket)
      else socket.destroy()
    })
  })
  await once(near, 'connect')
  const far = await accepted
  listener.close()
  const { localPort: port } = near
  if (port === undefined) throw new TypeError('no port')
  for (const socket of [near, far]) socket.on('error', () => {}).unref()
  return {
    port,
    address: `${host}:${port}`,
    [Symbol.asyncDispose]: async () => {
      // The first to end keeps the port for a minute: the far one, which is asked for by nobody.
      const closed = once(near, 'close')
      far.destroy()
      near.resume()
      await closed
    },
  }
}
