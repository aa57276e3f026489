import type { Socket } from 'node:net'
import { MaglevError } from '../errors.ts'
import { type Endpoint, type ProxyHeader, parseProxyHeader, plainAddress } from './proxy-protocol.ts'

/** Who is at the other end of an accepted connection. */
export interface ConnectionSource {
  /** The client: the peer, or whom a PROXY protocol header names. */
  readonly source: Endpoint
  /** What the client connected to: an address of this machine, or what the header names. */
  readonly destination: Endpoint
  /** The PROXY protocol header where one was read. */
  readonly header: ProxyHeader | undefined
}

/** As the socket says it. */
export function directSource(socket: Socket): ConnectionSource {
  return {
    source: { address: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 },
    destination: { address: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? 0 },
    header: undefined,
  }
}

/**
 * Reads the PROXY protocol header at the start of `socket` and leaves what follows in it.
 *
 * @throws MaglevError `PROXY_HEADER_INVALID`, also where the connection ends first or `timeout` ms pass.
 */
export function announcedSource(socket: Socket, timeout: number): Promise<ConnectionSource> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    const settle = (): void => {
      clearTimeout(timer)
      socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd)
    }
    const fail = (error: unknown): void => {
      settle()
      reject(error)
    }
    const onEnd = (): void =>
      fail(
        new MaglevError('PROXY_HEADER_INVALID', 'PROXY protocol header: the connection ended before it did'),
      )
    const onReadable = (): void => {
      for (let chunk: unknown = socket.read(); chunk instanceof Buffer; chunk = socket.read()) {
        received = Buffer.concat([received, chunk])
        try {
          const parsed = parseProxyHeader(received)
          if (parsed === undefined) continue
          settle()
          if (parsed.length < received.length) socket.unshift(received.subarray(parsed.length))
          resolve(named(socket, parsed.header))
        } catch (error) {
          fail(error)
        }
        return
      }
    }
    const timer = setTimeout(
      () =>
        fail(
          new MaglevError('PROXY_HEADER_INVALID', `PROXY protocol header: not whole within ${timeout} ms`),
        ),
      timeout,
    )
    socket.on('readable', onReadable).once('end', onEnd).once('close', onEnd)
  })
}

function named(socket: Socket, header: ProxyHeader): ConnectionSource {
  const direct = directSource(socket)
  return {
    source: header.source ?? direct.source,
    destination: header.destination ?? direct.destination,
    header,
  }
}
