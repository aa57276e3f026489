import { Resolver } from 'node:dns/promises'
import { type Duration, parsePositiveDuration } from '../duration.ts'
import { MaglevError, shown } from '../errors.ts'
import { wantMethods, wantObject } from '../given.ts'
import { type Clock, type Random, realClock, realRandom } from '../ports.ts'

/** What is asked: the addresses of a name, all on one port, or its service records. */
export type DnsQuery =
  | { readonly name: string; readonly type: 'A' | 'AAAA'; readonly port: number }
  | { readonly name: string; readonly type: 'SRV' }

/** The part of `dns.promises.Resolver` that is used. */
export interface DnsResolver {
  resolve4(name: string, options: { ttl: true }): Promise<{ address: string; ttl: number }[]>
  resolve6(name: string, options: { ttl: true }): Promise<{ address: string; ttl: number }[]>
  resolveSrv(name: string): Promise<{ name: string; port: number; priority: number; weight: number }[]>
  cancel(): void
}

export interface DnsDiscoveryOptions {
  /**
   * Time between two questions, at most: an answer with a shorter TTL is asked for again when it ends. Default 30 s. Node does
   * not tell the TTL of SRV records, so these are asked for once in each interval.
   */
  readonly interval?: Duration
  /** The least time between two questions, whatever the TTL; also the first wait after a failure, doubled with each. Default 1 s. */
  readonly minInterval?: Duration
  /** Up to this part of each wait comes on top, at random, so that many clients do not ask at once. 0 to 1, default 0.1. */
  readonly jitter?: number
  /** The most backends that an answer may name; a longer one is a failure. Default 1,000. */
  readonly maxBackends?: number
  /** Default: a `dns.promises.Resolver` with the servers of the system. Its questions are cancelled at the end, so do not share it. */
  readonly resolver?: DnsResolver
  /** Ends the discovery as `await discovery[Symbol.asyncDispose]()` does. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
  readonly random?: Random
}

/** Options checked, with their defaults. */
export interface DnsSettings {
  readonly interval: number
  readonly minInterval: number
  readonly jitter: number
  readonly maxBackends: number
  readonly resolver: DnsResolver
  readonly signal: AbortSignal | undefined
  readonly clock: Clock
  readonly random: Random
}

/** @throws MaglevError `INVALID_OPTION` */
export function dnsSettings(options: DnsDiscoveryOptions): DnsSettings {
  wantObject('options', options)
  const interval = parsePositiveDuration('interval', options.interval ?? '30s')
  const minInterval = parsePositiveDuration('minInterval', options.minInterval ?? Math.min(1000, interval))
  if (minInterval > interval) {
    throw new MaglevError(
      'INVALID_OPTION',
      `minInterval (${minInterval} ms) must not be above interval (${interval} ms)`,
    )
  }
  const { jitter = 0.1, maxBackends = 1000 } = options
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1)) {
    throw new MaglevError('INVALID_OPTION', `jitter must be a number from 0 to 1, not ${shown(jitter)}`)
  }
  if (!Number.isSafeInteger(maxBackends) || maxBackends < 1) {
    throw new MaglevError(
      'INVALID_OPTION',
      `maxBackends must be a whole number above 0, not ${shown(maxBackends)}`,
    )
  }
  const { resolver, signal, clock, random } = options
  if (resolver !== undefined)
    wantMethods('resolver', resolver, 'a Resolver', ['resolve4', 'resolve6', 'resolveSrv', 'cancel'])
  if (signal !== undefined)
    wantMethods('signal', signal, 'an AbortSignal', ['addEventListener', 'removeEventListener'])
  if (clock !== undefined)
    wantMethods('clock', clock, 'a Clock', ['now', 'monotonic', 'setTimeout', 'clearTimeout'])
  if (random !== undefined) wantMethods('random', random, 'a Random', ['next'])
  return {
    interval,
    minInterval,
    jitter,
    maxBackends,
    resolver: resolver ?? new Resolver(),
    signal,
    clock: clock ?? realClock,
    random: random ?? realRandom,
  }
}

/** @throws MaglevError `INVALID_OPTION` */
export function checkQuery(query: DnsQuery): void {
  wantObject('query', query)
  const { name, type } = query
  if (typeof name !== 'string' || name === '') {
    throw new MaglevError('INVALID_OPTION', `name must be a DNS name, not ${shown(name)}`)
  }
  if (type === 'SRV') return
  if (type !== 'A' && type !== 'AAAA') {
    throw new MaglevError('INVALID_OPTION', `type must be A, AAAA or SRV, not ${shown(type)}`)
  }
  if (!Number.isInteger(query.port) || query.port < 1 || query.port > 65_535) {
    throw new MaglevError(
      'INVALID_OPTION',
      `port must be a whole number from 1 to 65535, not ${shown(query.port)}`,
    )
  }
}
