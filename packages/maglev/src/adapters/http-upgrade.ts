import type { IncomingMessage } from 'node:http'
import { filterFields, listed } from './http-hop.ts'

/** A client may offer any protocol (Java's offers h2c by default) and expects to be served without it. */
export function offersWebSocket(request: IncomingMessage): boolean {
  return listed(request.rawHeaders, 'upgrade').includes('websocket')
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}

/** The request as it would be without its offer, to be read again. */
export function withoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const headers = filterFields(rawHeaders, (name) => name !== 'upgrade')
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`
  for (let n = 0; n < headers.length; n += 2) text += `${headers[n]}: ${headers[n + 1]}\r\n`
  return Buffer.from(`${text}\r\n`, 'latin1')
}
