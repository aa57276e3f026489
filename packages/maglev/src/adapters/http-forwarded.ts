import { isIPv4, isIPv6 } from 'node:net'
import { filterFields, type HeaderList, valuesOf } from './http-hop.ts'
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

const families: Readonly<Record<ForwardedStyle, (name: string) => boolean>> = {
  'x-forwarded': (name) => name.startsWith('x-forwarded-') || name === 'x-real-ip',
  forwarded: (name) => name === 'forwarded',
}

/**
 * `headers` with the fields that tell where the request comes from. Of a trusted peer they are continued; of others all of
 * them are dropped, in either style and also spelled with `_`, as many a backend reads them.
 */
export function forwardedHeaders(
  headers: HeaderList,
  style: ForwardedStyle,
  trusted: boolean,
  facts: ForwardedFacts,
): string[] {
  const speaks = (name: string): boolean => {
    const spelled = name.replaceAll('_', '-')
    return families['x-forwarded'](spelled) || families.forwarded(spelled)
  }
  const base = trusted ? headers : filterFields(headers, (name) => !speaks(name))
  return style === 'forwarded' ? withForwarded(base, facts) : withXForwarded(base, facts)
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
  let client = peer
  const chain = style === 'forwarded' ? forwardedFor(headers) : xForwardedFor(headers)
  for (const address of chain.toReversed()) {
    if (!trusts(client) || !(isIPv4(address) || isIPv6(address))) break
    client = address
  }
  return client
}

function withXForwarded(headers: HeaderList, { peer, host, proto }: ForwardedFacts): string[] {
  const chain = [...valuesOf(headers, 'x-forwarded-for').filter((value) => value !== ''), peer].join(', ')
  const fields = [...filterFields(headers, (name) => name !== 'x-forwarded-for'), 'X-Forwarded-For', chain]
  if (valuesOf(headers, 'x-forwarded-proto').length === 0) fields.push('X-Forwarded-Proto', proto)
  if (host !== undefined && valuesOf(headers, 'x-forwarded-host').length === 0)
    fields.push('X-Forwarded-Host', host)
  return fields
}

function withForwarded(headers: HeaderList, { peer, host, proto }: ForwardedFacts): string[] {
  const node = isIPv6(peer) ? `"[${peer}]"` : peer === '' ? 'unknown' : peer
  // The characters of an authority need no escape inside quotes.
  const element = `for=${node}${host === undefined ? '' : `;host="${host}"`};proto=${proto}`
  const chain = [...valuesOf(headers, 'forwarded').filter((value) => value !== ''), element].join(', ')
  return [...filterFields(headers, (name) => name !== 'forwarded'), 'Forwarded', chain]
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
