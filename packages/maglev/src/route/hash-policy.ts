import { type Duration, parseDuration } from '../duration.ts'
import { MaglevError, shown } from '../errors.ts'
import { wantMethods, wantObject } from '../given.ts'
import { type CookieAttributes, readCookie, setCookie } from './cookie.ts'
import { type HashedTable, hashInTurn, type ValueHash, valueHashOf, wireBytes } from './value-hash.ts'

/**
 * One part of a request that decides where it goes. `terminal`, default false: once there is a hash, the policies after this one
 * are not looked at.
 */
export type HashPolicy =
  | HeaderHashPolicy
  | CookieHashPolicy
  | SourceAddressHashPolicy
  | QueryParameterHashPolicy
  | FilterStateHashPolicy

/** All values of a header, in any order. `:path` and `:authority` are the request's path and host. */
export interface HeaderHashPolicy {
  readonly header: string
  readonly terminal?: boolean
}

export interface CookieHashPolicy {
  readonly cookie: string
  /** With it, a request without the cookie is given one, made of its connection's addresses. 0: until the browser closes. */
  readonly ttl?: Duration
  /** `Path` of a cookie that is given. */
  readonly path?: string
  /** Further attributes of a cookie that is given, such as `{ SameSite: 'Lax', Secure: '' }`. */
  readonly attributes?: Readonly<Record<string, string>>
  readonly terminal?: boolean
}

/** The IP address that the request came from. */
export interface SourceAddressHashPolicy {
  readonly sourceAddress: true
  readonly terminal?: boolean
}

/** The first value of a parameter of the query string, as it stands there. */
export interface QueryParameterHashPolicy {
  readonly queryParameter: string
  readonly terminal?: boolean
}

/** What the application put into `filterState` of the request under that name: a string, or a bigint that is the hash itself. */
export interface FilterStateHashPolicy {
  readonly filterState: string
  readonly terminal?: boolean
}

export interface SocketAddress {
  /** As Node gives it: `10.0.0.1`, `::1`, `::ffff:10.0.0.1`. */
  readonly address: string
  readonly port: number
}

/** What policies look at. */
export interface RoutedRequest {
  /** By lower-case name. `headersDistinct` of a Node request; with `headers`, repeated ones count as a single one. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** With its query string, as it stands in the request line. */
  readonly path: string
  /** The client. */
  readonly remote?: SocketAddress
  /** The end of the connection on this side. */
  readonly local?: SocketAddress
  readonly filterState?: ReadonlyMap<string, string | bigint>
}

export interface RouteHash {
  /** For `lookup` or `acquire`; undefined where no policy had anything to hash. */
  readonly key: bigint | undefined
  /** Values of `Set-Cookie` headers to add to the response. */
  readonly cookies: readonly string[]
}

/** A policy that was checked. */
interface Hasher {
  readonly terminal: boolean
  hash(request: RoutedRequest, valueHash: ValueHash, cookies: string[]): bigint | undefined
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** What may stand in a Set-Cookie header after a name. */
const cookieText = /^[ -:<-~]*$/

/**
 * Envoy's hash policies: the function that it returns gives the same 64 bits as Envoy for the same request. The hashes of the
 * policies that apply are combined in order, the last result rotated left by one bit, exclusive or the next hash.
 *
 * ```ts
 * const hash = hashPolicies([{ cookie: 'session', ttl: '1h', terminal: true }, { sourceAddress: true }])
 * const { key, cookies } = hash({ headers: request.headersDistinct, path: request.url, remote, local })
 * ```
 *
 * With a `table` that has a `secret` the values are hashed under that secret, combined in the same way, so that nobody can choose
 * ones that meet at one backend; its hash alone matters, not its backends. Proxies give their own.
 *
 * Source: envoyproxy/envoy, route_components.proto (`RouteAction.HashPolicy`) and http/hash_policy.cc.
 *
 * @throws MaglevError `INVALID_OPTION`; the function that it returns throws `INVALID_KEY` for a wrong value of `filterState`.
 */
export function hashPolicies(
  policies: readonly HashPolicy[],
  table?: HashedTable,
): (request: RoutedRequest) => RouteHash {
  if (!Array.isArray(policies) || policies.length === 0) {
    throw new MaglevError('INVALID_OPTION', `Hash policies are a list of one or more, not ${shown(policies)}`)
  }
  const hashers = policies.map((policy, index) => hasherOf(policy, `Hash policy ${index}`))
  const valueHash = valueHashOf(table)
  return (request) => {
    checkRequest(request)
    const cookies: string[] = []
    let key: bigint | undefined
    for (const hasher of hashers) {
      const hash = hasher.hash(request, valueHash, cookies)
      if (hash !== undefined) key = key === undefined ? hash : rotateLeft(key) ^ hash
      if (hasher.terminal && key !== undefined) break
    }
    return { key, cookies }
  }
}

/** What policies read, and a caller may have left out or have as something else. */
function checkRequest(request: RoutedRequest): void {
  wantObject('A request', request)
  const { headers, path, remote, local, filterState } = request
  wantObject('headers of a request', headers)
  if (typeof path !== 'string') {
    throw new MaglevError('INVALID_OPTION', `path of a request must be text, not ${shown(path)}`)
  }
  for (const end of [remote, local]) {
    if (end === undefined) continue
    if (typeof end?.address !== 'string' || typeof end.port !== 'number') {
      throw new MaglevError(
        'INVALID_OPTION',
        `An end of a connection must have an address, not ${shown(end?.address)}`,
      )
    }
  }
  if (filterState !== undefined) wantMethods('filterState', filterState, 'a Map', ['get'])
}

function rotateLeft(word: bigint): bigint {
  return BigInt.asUintN(64, word << 1n) | (word >> 63n)
}

function hasherOf(policy: HashPolicy, where: string): Hasher {
  if (policy === null || typeof policy !== 'object') {
    throw new MaglevError('INVALID_OPTION', `${where} must be an object, not ${shown(policy)}`)
  }
  const { terminal = false } = policy
  if (typeof terminal !== 'boolean') {
    throw new MaglevError(
      'INVALID_OPTION',
      `${where}: terminal must be true or false, not ${shown(terminal)}`,
    )
  }
  const kinds = ['header', 'cookie', 'sourceAddress', 'queryParameter', 'filterState']
  if (kinds.filter((kind) => Object.hasOwn(policy, kind)).length !== 1) {
    throw new MaglevError('INVALID_OPTION', `${where} must have exactly one of ${kinds.join(', ')}`)
  }
  if ('header' in policy) return { terminal, hash: headerHash(policy, where) }
  if ('cookie' in policy) return { terminal, hash: cookieHash(policy, where) }
  if ('queryParameter' in policy) return { terminal, hash: queryParameterHash(policy, where) }
  if ('filterState' in policy) return { terminal, hash: filterStateHash(policy, where) }
  const { sourceAddress }: { readonly sourceAddress: unknown } = policy
  if (sourceAddress !== true) {
    throw new MaglevError(
      'INVALID_OPTION',
      `${where}: sourceAddress must be true, not ${shown(sourceAddress)}`,
    )
  }
  return { terminal, hash: sourceAddressHash }
}

function headerHash({ header }: HeaderHashPolicy, where: string): Hasher['hash'] {
  const name = requireText(header, 'header', where).toLowerCase()
  if (!token.test(name) && name !== ':path' && name !== ':authority') {
    throw new MaglevError('INVALID_OPTION', `${where}: ${shown(header)} is no name of a header`)
  }
  return (request, valueHash) => {
    const values =
      name === ':path' ? [request.path] : valuesOf(request, name === ':authority' ? 'host' : name)
    if (values.length === 0) return undefined
    return hashInTurn(
      valueHash,
      values.map(wireBytes).toSorted((a, b) => Buffer.compare(a, b)),
    )
  }
}

function cookieHash(policy: CookieHashPolicy, where: string): Hasher['hash'] {
  const name = requireText(policy.cookie, 'cookie', where)
  if (!token.test(name))
    throw new MaglevError('INVALID_OPTION', `${where}: ${shown(name)} is no name of a cookie`)
  const given = policy.ttl === undefined ? undefined : cookieAttributes(policy, policy.ttl, where)
  return (request, valueHash, cookies) => {
    const value = readCookie(valuesOf(request, 'cookie'), name)
    if (value !== undefined && value !== '') return valueHash(wireBytes(value))
    const { remote, local } = request
    if (given === undefined || remote === undefined || local === undefined) return undefined
    // Of the connection, so that requests that race on it are given the same one.
    const made = hex(valueHash(wireBytes(endpoint(remote) + endpoint(local))))
    cookies.push(setCookie(name, made, given))
    return valueHash(wireBytes(made))
  }
}

function cookieAttributes(
  { path, attributes = {} }: CookieHashPolicy,
  ttl: Duration,
  where: string,
): CookieAttributes {
  const maxAge = Math.floor(parseDuration(`${where}: ttl`, ttl) / 1000)
  if (path !== undefined && (typeof path !== 'string' || !cookieText.test(path))) {
    throw new MaglevError('INVALID_OPTION', `${where}: path ${shown(path)} cannot stand in a cookie`)
  }
  wantObject(`${where}: attributes`, attributes)
  const list = Object.entries(attributes)
  for (const [name, value] of list) {
    if (token.test(name) && typeof value === 'string' && cookieText.test(value)) continue
    throw new MaglevError(
      'INVALID_OPTION',
      `${where}: attribute ${shown(name)} of value ${shown(value)} cannot stand in a cookie`,
    )
  }
  return { maxAge, path, attributes: list }
}

function sourceAddressHash({ remote }: RoutedRequest, valueHash: ValueHash): bigint | undefined {
  return remote === undefined ? undefined : valueHash(wireBytes(unmapped(remote.address)))
}

function queryParameterHash({ queryParameter }: QueryParameterHashPolicy, where: string): Hasher['hash'] {
  const name = requireText(queryParameter, 'queryParameter', where)
  return ({ path }, valueHash) => {
    const value = queryValue(path, name)
    return value === undefined ? undefined : valueHash(wireBytes(value))
  }
}

/** The first value of that name, not decoded, as Envoy takes it. */
function queryValue(path: string, name: string): string | undefined {
  const begin = path.indexOf('?')
  if (begin < 0) return undefined
  for (const parameter of path.slice(begin + 1).split('&')) {
    const equals = parameter.indexOf('=')
    if (equals < 0 ? parameter === name : parameter.slice(0, equals) === name) {
      return equals < 0 ? '' : parameter.slice(equals + 1)
    }
  }
  return undefined
}

function filterStateHash({ filterState }: FilterStateHashPolicy, where: string): Hasher['hash'] {
  const name = requireText(filterState, 'filterState', where)
  return (request, valueHash) => {
    const value = request.filterState?.get(name)
    if (value === undefined) return undefined
    if (typeof value === 'string') return valueHash(Buffer.from(value))
    if (typeof value === 'bigint' && BigInt.asUintN(64, value) === value) return value
    throw new MaglevError(
      'INVALID_KEY',
      `filterState ${shown(name)} must be a string or a bigint below 2^64, not ${shown(value)}`,
    )
  }
}

function requireText(value: unknown, name: string, where: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new MaglevError('INVALID_OPTION', `${where}: ${name} must be a name, not ${shown(value)}`)
}

function valuesOf({ headers }: RoutedRequest, name: string): readonly string[] {
  const values = Object.hasOwn(headers, name) ? headers[name] : undefined
  if (values === undefined) return []
  if (typeof values === 'string') return [values]
  if (Array.isArray(values) && values.every((value) => typeof value === 'string')) return values
  throw new MaglevError(
    'INVALID_OPTION',
    `Header ${shown(name)} must be text or a list of texts, not ${shown(values)}`,
  )
}

/** An address as Envoy writes it. */
function endpoint({ address, port }: SocketAddress): string {
  const bare = unmapped(address)
  return bare.includes(':') ? `[${bare}]:${port}` : `${bare}:${port}`
}

/** The IPv4 address that a socket for both families gives as an IPv6 one. */
function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
}

function hex(word: bigint): string {
  return word.toString(16).padStart(16, '0')
}
