import { isIPv4, isIPv6 } from 'node:net'
import { type HeaderList, valuesOf } from './http-hop.ts'
import { plainAddress } from './proxy-protocol.ts'

/** `x-forwarded`: X-Forwarded-For, -Proto and -Host. `forwarded`: the one field of RFC 7239. */
export type ForwardedStyle = 'x-forwarded' | 'forwarded'

/** What a backend is told about the client's side. */
export interface ForwardedFacts {
  /** Address of the peer that sent the request. */
  readonly peer: string
  readonly host: string | undefined
  readonly proto: 'http' | 'https'
}

/** Whether a field tells where a request comes from, in either style and also spelled with `_`, as many a backend reads it. */
function speaksOfOrigin(name: string): boolean {
  const first = name.charCodeAt(0) | 0x20
  if (first !== 0x78 && first !== 0x66) return false
  const spelled = name.toLowerCase().replaceAll('_', '-')
  return spelled.startsWith('x-forwarded-') || spelled === 'x-real-ip' || spelled === 'forwarded'
}

/**
 * `headers` with the fields that tell where the request comes from. Of a trusted peer they are continued; of others all of
 * them are dropped.
 */
export function forwardedHeaders(
  headers: HeaderList,
  style: ForwardedStyle,
  trusted: boolean,
  facts: ForwardedFacts,
): string[] {
  const chain = style === 'forwarded' ? 'forwarded' : 'x-forwarded-for'
  const hops: string[] = []
  const fields: string[] = []
  for (let n = 0; n < headers.length; n += 2) {
    const name = headers[n] ?? ''
    const value = headers[n + 1] ?? ''
    if (!speaksOfOrigin(name)) fields.push(name, value)
    else if (trusted && name.toLowerCase() !== chain) fields.push(name, value)
    else if (trusted && value !== '') hops.push(value)
  }
  return style === 'forwarded' ? withForwarded(fields, hops, facts) : withXForwarded(fields, hops, facts)
}

/**
 * The client's address as trusted proxies tell it: the last one that is not a trusted proxy itself. What an untrusted one
 * claims is not looked at.
 */
export function forwardedClient(
  headers: HeaderList,
  style: ForwardedStyle,
  peer: string,
  trusts: (address: string) => boolean,
): string {
  if (!trusts(peer)) return peer
  let client = peer
  const chain = style === 'forwarded' ? forwardedFor(headers) : xForwardedFor(headers)
  for (const address of chain.toReversed()) {
    if (!trusts(client) || !(isIPv4(address) || isIPv6(address))) break
    client = address
  }
  return client
}

function withXForwarded(
  fields: string[],
  hops: readonly string[],
  { peer, host, proto }: ForwardedFacts,
): string[] {
  fields.push('X-Forwarded-For', [...hops, peer].join(', '))
  if (valuesOf(fields, 'x-forwarded-proto').length === 0) fields.push('X-Forwarded-Proto', proto)
  if (host !== undefined && valuesOf(fields, 'x-forwarded-host').length === 0)
    fields.push('X-Forwarded-Host', host)
  return fields
}

function withForwarded(
  fields: string[],
  hops: readonly string[],
  { peer, host, proto }: ForwardedFacts,
): string[] {
  const node = isIPv6(peer) ? `"[${peer}]"` : peer === '' ? 'unknown' : peer
  // The characters of an authority need no escape inside quotes.
  const element = `for=${node}${host === undefined ? '' : `;host="${host}"`};proto=${proto}`
  fields.push('Forwarded', [...hops, element].join(', '))
  return fields
}

function xForwardedFor(headers: HeaderList): string[] {
  return valuesOf(headers, 'x-forwarded-for').flatMap((value) => value.split(',').map(bareAddress))
}

function forwardedFor(headers: HeaderList): string[] {
  return valuesOf(headers, 'forwarded').flatMap((value) =>
    value.split(',').map((element) => {
      const [, node = ''] = /(?:^|;)\s*for=("[^"]*"|[^;\s]*)/i.exec(element.trim()) ?? []
      return bareAddress(node.replaceAll('"', ''))
    }),
  )
}

/** Some proxies add the port. */
function bareAddress(node: string): string {
  const [, v6, v4] = /^(?:\[([^\]]*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(node.trim()) ?? []
  return plainAddress(v6 ?? v4 ?? node.trim())
}
