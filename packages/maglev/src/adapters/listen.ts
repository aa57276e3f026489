import type { AddressInfo, Server } from 'node:net'
import { MaglevError, shown } from '../errors.ts'
import { wantMethods, wantObject } from '../given.ts'
import { checkCount } from './count.ts'

export interface ListenOptions {
  /** 0 takes a free one. */
  readonly port: number
  /** Default: all addresses of the machine. */
  readonly host?: string
  /**
   * Connections that wait to be accepted; the kernel caps it (Linux: `net.core.somaxconn`). Of a burst beyond it Linux forgets
   * connections that their clients take for established. Default 4,096.
   */
  readonly backlog?: number
  /** Closes the proxy, in good order, when it aborts. */
  readonly signal?: AbortSignal
}

/** Resolves when `server` listens; `close` is called when the signal aborts afterwards. */
export async function listen(
  server: Server,
  options: ListenOptions,
  close: () => void,
): Promise<AddressInfo> {
  wantObject('listen: options', options)
  const { port, host, signal } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new MaglevError('INVALID_OPTION', `port must be a whole number from 0 to 65535, not ${shown(port)}`)
  }
  if (host !== undefined && (typeof host !== 'string' || host.includes('\0'))) {
    throw new MaglevError('INVALID_OPTION', `host must be a name or an address, not ${shown(host)}`)
  }
  if (signal !== undefined)
    wantMethods('signal', signal, 'an AbortSignal', ['throwIfAborted', 'addEventListener'])
  const backlog = checkCount('backlog', options.backlog ?? 4_096, 1)
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    server.once('error', reject)
    server.listen({ port, backlog, ...(host !== undefined && { host }) }, () => {
      server.off('error', reject)
      // Accepting that fails, such as for want of memory, costs a connection, not the process.
      server.on('error', () => {})
      signal?.addEventListener('abort', close, { once: true })
      server.once('close', () => signal?.removeEventListener('abort', close))
      const address = server.address()
      if (address !== null && typeof address === 'object') resolve(address)
      else reject(new MaglevError('INVALID_OPTION', `listen: ${shown(address)} is no TCP address`))
    })
  })
}
