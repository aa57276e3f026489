import { type ForwardedStyle, forwardedHeaders } from './http-forwarded.ts'
import type { RequestHead } from './http-head.ts'

/** What a proxy adds to requests. */
export interface AddedFields {
  /** Address of the peer that sent the request. */
  readonly peer: string
  /** Whether what the peer says of the way here is continued. */
  readonly trusted: boolean
  readonly forwarded: ForwardedStyle
  /** Value of a `Via` field. */
  readonly via: string | undefined
  readonly webSocket: boolean
}

/** All fields for the backend, names and values by turns, but for Host where the client named none. */
export function requestFields(head: RequestHead, added: AddedFields): string[] {
  const { host } = head
  const facts = { peer: added.peer, host, proto: 'http' } as const
  const fields = forwardedHeaders(head.fields, added.forwarded, added.trusted, facts)
  if (host !== undefined) fields.unshift('Host', host)
  if (head.trailers) fields.push('TE', 'trailers')
  if (added.via !== undefined) fields.push('Via', added.via)
  if (head.body === 'chunked') fields.push('Transfer-Encoding', 'chunked')
  else if (head.length !== undefined) fields.push('Content-Length', head.length)
  // A backend may answer 411 to a POST without a length, and node:http would send chunks.
  else if (!bodiless.has(head.method)) fields.push('Content-Length', '0')
  if (added.webSocket) fields.push('Connection', 'Upgrade', 'Upgrade', 'websocket')
  return fields
}

/** Methods whose requests have no length where they have no body. */
const bodiless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE'])
