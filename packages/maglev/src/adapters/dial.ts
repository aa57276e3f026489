import { connect, type Socket } from 'node:net'
import { MaglevError } from '../errors.ts'
import type { Address } from '../pool/address.ts'

/**
 * Connects. The socket is half-open capable, without Nagle's delay, and probes a silent peer.
 *
 * @throws MaglevError `BACKEND_UNREACHABLE` with the system's error as its cause, `TIMED_OUT` after `timeout` ms; the
 * signal's reason when it aborts.
 */
export function dial(address: Address, timeout: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const socket = connect({ ...address, allowHalfOpen: true, noDelay: true, keepAlive: true })
    const place = `${address.host}:${address.port}`
    const settle = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.off('error', onError)
    }
    const fail = (error: unknown): void => {
      settle()
      // What the socket still has to say about its end interests nobody.
      socket.on('error', () => {}).destroy()
      reject(error)
    }
    const onAbort = (): void => fail(signal.reason)
    const onError = (error: Error): void =>
      fail(
        new MaglevError('BACKEND_UNREACHABLE', `No connection to ${place}: ${error.message}`, {
          cause: error,
        }),
      )
    const timer = setTimeout(
      () => fail(new MaglevError('TIMED_OUT', `No connection to ${place} within ${timeout} ms`)),
      timeout,
    )
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('error', onError)
    socket.once('connect', () => {
      settle()
      resolve(socket)
    })
  })
}
