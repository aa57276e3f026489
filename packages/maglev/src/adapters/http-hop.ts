/** Names and values by turns, as `rawHeaders` of node:http has them. */
export type HeaderList = readonly string[]

/**
 * Fields that speak of one connection (RFC 9110, section 7.6.1), the credentials for a proxy, and `Proxy`, which no standard
 * knows and CGI programs take for a setting of theirs.
 */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** A sender cannot have these taken out by naming them in `Connection`: without them a message means another thing. */
const kept: ReadonlySet<string> = new Set(['content-length', 'host'])

/** What a trailer section cannot say, since it would change how the message before it is read (RFC 9110, section 6.5.1). */
const notInTrailers: ReadonlySet<string> = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'host',
  'set-cookie',
  'trailer',
])

/** The fields of a message that are meant for its final recipient, in their order and spelling. */
export function endToEnd(headers: HeaderList): string[] {
  const named = new Set(listed(headers, 'connection').filter((name) => !kept.has(name)))
  return filterFields(headers, (name) => !hopByHop.has(name) && !named.has(name))
}

/** Trailer fields that may be passed on, as pairs. */
export function endToEndTrailers(trailers: HeaderList): [name: string, value: string][] {
  const fields = filterFields(trailers, (name) => !hopByHop.has(name) && !notInTrailers.has(name))
  return Array.from({ length: fields.length / 2 }, (_, n) => [fields[2 * n] ?? '', fields[2 * n + 1] ?? ''])
}

/** All values of the field `name` (lower case). */
export function valuesOf(headers: HeaderList, name: string): string[] {
  const values: string[] = []
  for (let n = 0; n < headers.length; n += 2) {
    if (headers[n]?.toLowerCase() === name) values.push(headers[n + 1] ?? '')
  }
  return values
}

/** The members of a comma-separated field of tokens, in lower case, without parameters. */
export function listed(headers: HeaderList, name: string): string[] {
  return valuesOf(headers, name).flatMap((value) =>
    value.split(',').map((member) => (member.split(';')[0] ?? '').trim().toLowerCase()),
  )
}

/** The fields whose lower-case name passes. */
export function filterFields(headers: HeaderList, passes: (name: string) => boolean): string[] {
  const fields: string[] = []
  for (let n = 0; n < headers.length; n += 2) {
    const name = headers[n] ?? ''
    if (passes(name.toLowerCase())) fields.push(name, headers[n + 1] ?? '')
  }
  return fields
}
