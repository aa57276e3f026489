import type { AddressInfo, Server } from 'node:net'
import { MaglevError, shown } from '../errors.ts'

export interface ListenOptions {
  /** 0 takes a free one. */
  readonly port: number
  /** Default: all addresses of the machine. */
  readonly host?: string
  /** Closes the proxy, in good order, when it aborts. */
  readonly signal?: AbortSignal
}

/** Resolves when `server` listens; `close` is called when the signal aborts afterwards. */
export function listen(server: Server, options: ListenOptions, close: () => void): Promise<AddressInfo> {
  const { port, host, signal } = options
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    server.once('error', reject)
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off('error', reject)
      signal?.addEventListener('abort', close, { once: true })
      server.once('close', () => signal?.removeEventListener('abort', close))
      const address = server.address()
      if (address !== null && typeof address === 'object') resolve(address)
      else reject(new MaglevError('INVALID_OPTION', `listen: ${shown(address)} is no TCP address`))
    })
  })
}
