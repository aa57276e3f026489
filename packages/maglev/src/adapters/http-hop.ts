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

export function isHopByHop(lowerCaseName: string): boolean {
  return hopByHop.has(lowerCaseName)
}

/** The fields of a message that are meant for its final recipient, in their order and spelling. */
export function endToEnd(headers: HeaderList): string[] {
  const fields: string[] = []
  let connection = ''
  for (let n = 0; n < headers.length; n += 2) {
    const name = headers[n] ?? ''
    const value = headers[n + 1] ?? ''
    const lower = name.toLowerCase()
    if (!hopByHop.has(lower)) fields.push(name, value)
    else if (lower === 'connection') connection = joined(connection, value)
  }
  return withoutNamed(fields, connection)
}

/** `fields` without those that the value of a `Connection` field names. */
export function withoutNamed(fields: string[], connection: string): string[] {
  if (connection === '' || connection === 'keep-alive' || connection === 'close') return fields
  const named = new Set(members(connection).filter((name) => !kept.has(name) && !hopByHop.has(name)))
  return named.size === 0 ? fields : filterFields(fields, (name) => !named.has(name))
}

/** Trailer fields that may be passed on, as pairs. */
export function endToEndTrailers(trailers: HeaderList): [name: string, value: string][] {
  if (trailers.length === 0) return []
  const fields = filterFields(trailers, (name) => !hopByHop.has(name) && !notInTrailers.has(name))
  return Array.from({ length: fields.length / 2 }, (_, n) => [fields[2 * n] ?? '', fields[2 * n + 1] ?? ''])
}

/** All values of the field `name` (lower case). */
export function valuesOf(headers: HeaderList, name: string): string[] {
  const values: string[] = []
  for (let n = 0; n < headers.length; n += 2) {
    const one = headers[n] ?? ''
    if (one.length === name.length && one.toLowerCase() === name) values.push(headers[n + 1] ?? '')
  }
  return values
}

/** The members of a comma-separated field of tokens, in lower case, without parameters. */
export function listed(headers: HeaderList, name: string): string[] {
  return valuesOf(headers, name).flatMap(members)
}

/** The members of one value of such a field. */
export function members(value: string): string[] {
  return value.split(',').map((member) => (member.split(';')[0] ?? '').trim().toLowerCase())
}

/** The value of a field that was there before, if it was, and of one more line of it. */
export function joined(before: string, value: string): string {
  return before === '' ? value : `${before}, ${value}`
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
