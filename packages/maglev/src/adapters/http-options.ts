import { type Duration, parsePositiveDuration } from '../duration.ts'
import { MaglevError, shown } from '../errors.ts'
import { wantObject } from '../given.ts'
import type { Key } from '../key-hash.ts'
import { type HashPolicy, hashPolicies, type RoutedRequest } from '../route/hash-policy.ts'
import type { HashedTable } from '../route/value-hash.ts'
import { checkCount } from './count.ts'
import type { ForwardedStyle } from './http-forwarded.ts'
import { sourceList, type TrustedSources } from './source-list.ts'

export interface HttpProxyOptions {
  /**
   * What a request is routed by: Envoy's hash policies, hashed under the `secret` of the table where it has one, or a function. Default: the client's address. Without a key (undefined,
   * no policy applies) any backend is taken.
   */
  readonly key?: readonly HashPolicy[] | ((request: RoutedRequest) => Key | undefined)
  /** As of `createTcpProxy`: who sends a PROXY protocol header first. Default false. */
  readonly acceptProxyProtocol?: TrustedSources
  /**
   * Whose `X-Forwarded-…`, `X-Real-IP` and `Forwarded` fields are continued and believed. Those of others are dropped. `true`
   * believes any direct peer, but not whom that names. Default false.
   */
  readonly trustForwarded?: TrustedSources
  /** Which fields tell backends of the client. Default `x-forwarded`. */
  readonly forwarded?: ForwardedStyle
  /** Name of this proxy in `Via` fields, of requests and responses. Default: none are added. */
  readonly via?: string
  /** For each attempt to connect to a backend, and for an incoming PROXY protocol header. Default `'5s'`. */
  readonly connectTimeout?: Duration
  /** From the end of a request to the head of its response; then 504. Default `'60s'`. */
  readonly timeout?: Duration
  /** Without a byte of a body, in either direction, or in a WebSocket. Default `'5m'`. */
  readonly idleTimeout?: Duration
  /** For the head of a request to arrive; then 408. Default `'10s'`. */
  readonly headersTimeout?: Duration
  /** How long a client's connection is kept between requests. Default `'75s'`. */
  readonly keepAliveTimeout?: Duration
  /** Longest request head; then 431. Default 16,384. */
  readonly maxHeaderBytes?: number
  /**
   * Backends tried after the first one, as long as nothing of a response has arrived, and nothing of the request was sent or it
   * can be repeated: its method is idempotent and nothing of its body was read. Default 2.
   */
  readonly retries?: number
  /** Open at the same time; further ones are closed at once. Default 10,000. */
  readonly maxConnections?: number
  /** How long `close` lets requests and WebSockets finish before it resets them. Default `'30s'`. */
  readonly drainTimeout?: Duration
}

/** The options with their defaults, checked; durations in milliseconds. */
export interface HttpSettings {
  readonly route: (request: RoutedRequest) => { key: Key | undefined; cookies: readonly string[] }
  readonly announces: (peer: string | undefined) => boolean
  /** Whether `address` is believed about whom it forwards for, in a request that came from `peer`. */
  readonly trusts: (address: string, peer: string) => boolean
  readonly forwarded: ForwardedStyle
  readonly via: string | undefined
  readonly connectTimeout: number
  readonly timeout: number
  readonly idleTimeout: number
  readonly headersTimeout: number
  readonly keepAliveTimeout: number
  readonly maxHeaderBytes: number
  readonly retries: number
  readonly maxConnections: number
  readonly drainTimeout: number
}

/** `table` is the one that the keys are for. */
export function checkHttpOptions(options: HttpProxyOptions, table: HashedTable | undefined): HttpSettings {
  wantObject('options', options)
  const { forwarded = 'x-forwarded', via, trustForwarded = false } = options
  if (forwarded !== 'x-forwarded' && forwarded !== 'forwarded') {
    throw new MaglevError(
      'INVALID_OPTION',
      `forwarded must be x-forwarded or forwarded, not ${shown(forwarded)}`,
    )
  }
  if (via !== undefined && (typeof via !== 'string' || !/^[\w!#$%&'*+.^`|~-]+(?::\d+)?$/.test(via))) {
    throw new MaglevError('INVALID_OPTION', `via must be a name or host:port, not ${shown(via)}`)
  }
  const trusted = sourceList('trustForwarded', trustForwarded)
  return {
    route: router(options.key, table),
    announces: sourceList('acceptProxyProtocol', options.acceptProxyProtocol ?? false),
    trusts: trustForwarded === true ? (address, peer) => address === peer : trusted,
    forwarded,
    via,
    connectTimeout: parsePositiveDuration('connectTimeout', options.connectTimeout ?? '5s'),
    timeout: parsePositiveDuration('timeout', options.timeout ?? '60s'),
    idleTimeout: parsePositiveDuration('idleTimeout', options.idleTimeout ?? '5m'),
    headersTimeout: parsePositiveDuration('headersTimeout', options.headersTimeout ?? '10s'),
    keepAliveTimeout: parsePositiveDuration('keepAliveTimeout', options.keepAliveTimeout ?? '75s'),
    maxHeaderBytes: checkCount('maxHeaderBytes', options.maxHeaderBytes ?? 16_384, 1),
    retries: checkCount('retries', options.retries ?? 2, 0),
    maxConnections: checkCount('maxConnections', options.maxConnections ?? 10_000, 1),
    drainTimeout: parsePositiveDuration('drainTimeout', options.drainTimeout ?? '30s'),
  }
}

function router(key: HttpProxyOptions['key'], table: HashedTable | undefined): HttpSettings['route'] {
  if (key === undefined) return ({ remote }) => ({ key: remote?.address, cookies: [] })
  if (typeof key === 'function') return (request) => ({ key: key(request), cookies: [] })
  return hashPolicies(key, table)
}
