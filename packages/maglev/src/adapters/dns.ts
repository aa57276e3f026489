import { channel } from 'node:diagnostics_channel'
import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Backend } from '../backend.ts'
import type { Change } from '../configuration.ts'
import { type Duration, parsePositiveDuration } from '../duration.ts'
import { MaglevError, shown } from '../errors.ts'
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

/** A Maglev, or a pool, that is kept up to date. */
export interface DiscoveryTarget {
  update(change: Change): void
}

/** What an answer changed, by id. */
export interface DnsUpdate {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly reweighted: readonly string[]
}

/** Also published to the channels `loadbearing:maglev:discovery` and `loadbearing:maglev:discovery-error`. */
export interface DnsEvents {
  /** The answer changed something. */
  update: DnsUpdate
  /** A question failed; the last good set stays. `error` is a MaglevError of code `DISCOVERY_FAILED`, or what `update` threw. */
  error: { readonly error: unknown; readonly failures: number; readonly retryIn: number }
}

const updates = channel('loadbearing:maglev:discovery')
const errors = channel('loadbearing:maglev:discovery-error')

/** The found backends by id. */
type Found = ReadonlyMap<string, Backend>

/**
 * Adds the backends that DNS names to a Maglev or a pool, and takes them out when DNS no longer does. It touches no backend that
 * it has not added. The first question is asked at once; `refresh` waits for its answer.
 *
 * An id is `ip:port`, `[v6]:port`, or for SRV `target:port`; the weight of an SRV record is the backend's (0 counts as 1), and its
 * priorities, in order, become 0, 1, 2 … (RFC 2782). A name with no records, or a failure of any kind, changes nothing:
 * an outage of DNS must not become an outage of what it names.
 *
 * @throws MaglevError `INVALID_OPTION`
 */
export function discoverDns(
  target: DiscoveryTarget,
  query: DnsQuery,
  options: DnsDiscoveryOptions = {},
): DnsDiscovery {
  return new DnsDiscovery(target, query, options)
}

/** Made by {@link discoverDns}. */
class DnsDiscovery implements AsyncDisposable {
  readonly #target: DiscoveryTarget
  readonly #query: DnsQuery
  readonly #settings: Settings
  readonly #listeners: { [Name in keyof DnsEvents]: Set<(event: DnsEvents[Name]) => void> } = {
    update: new Set(),
    error: new Set(),
  }
  #known: Found = new Map()
  #timer: unknown
  #asking: Promise<void> | undefined
  #failures = 0
  #closed = false
  readonly #abort = (): void => {
    this.#close()
  }

  /** @internal */
  constructor(target: DiscoveryTarget, query: DnsQuery, options: DnsDiscoveryOptions) {
    checkQuery(query)
    this.#target = target
    this.#query = query
    this.#settings = checkOptions(options)
    if (options.signal?.aborted) this.#closed = true
    options.signal?.addEventListener('abort', this.#abort, { once: true })
    if (!this.#closed) void this.#begin()
  }

  /** The ids found last. */
  get backends(): string[] {
    return [...this.#known.keys()]
  }

  /** Asks now, unless a question is under way, and resolves when it is answered; failures are told by the event alone. */
  async refresh(): Promise<void> {
    if (this.#closed) return
    this.#settings.clock.clearTimeout(this.#timer)
    await (this.#asking ?? this.#begin())
  }

  on<Name extends keyof DnsEvents>(name: Name, listener: (event: DnsEvents[Name]) => void): () => void {
    const listeners: Set<(event: DnsEvents[Name]) => void> = this.#listeners[name]
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }

  /** Stops asking. What was found stays where it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#close()
    await this.#asking
  }

  #close(): void {
    if (!this.#closed) this.#settings.resolver.cancel()
    this.#closed = true
    this.#settings.clock.clearTimeout(this.#timer)
    this.#settings.signal?.removeEventListener('abort', this.#abort)
  }

  #begin(): Promise<void> {
    const asking = this.#ask().finally(() => {
      this.#asking = undefined
    })
    this.#asking = asking
    return asking
  }

  async #ask(): Promise<void> {
    const { interval, minInterval, maxBackends, resolver } = this.#settings
    try {
      const { found, ttl } = await resolve(resolver, this.#query)
      if (this.#closed) return
      if (found.size === 0 || found.size > maxBackends) throw unusable(this.#query, found.size, maxBackends)
      const update = this.#apply(found)
      this.#failures = 0
      this.#schedule(Math.max(minInterval, Math.min(interval, ttl)))
      if (update) this.#emit('update', update)
    } catch (error) {
      if (this.#closed) return
      const retryIn = Math.min(interval, minInterval * 2 ** this.#failures)
      this.#failures++
      this.#schedule(retryIn)
      this.#emit('error', { error: failed(this.#query, error), failures: this.#failures, retryIn })
    }
  }

  #schedule(wait: number): void {
    const { clock, random, jitter } = this.#settings
    clock.clearTimeout(this.#timer)
    this.#timer = clock.setTimeout(
      () => {
        void this.#begin()
      },
      wait * (1 + jitter * random.next()),
    )
  }

  #apply(found: Found): DnsUpdate | undefined {
    const removed = [...this.#known.keys()].filter((id) => !found.has(id))
    const added: Backend[] = []
    const weight: [string, number][] = []
    for (const [id, backend] of found) {
      const known = this.#known.get(id)
      if (known === undefined) added.push(backend)
      else if (known.priority !== backend.priority) {
        removed.push(id)
        added.push(backend)
      } else if (known.weight !== backend.weight) weight.push([id, backend.weight ?? 1])
    }
    if (removed.length + added.length + weight.length === 0) return undefined
    this.#target.update({ remove: removed, add: added, weight: Object.fromEntries(weight) })
    this.#known = found
    return { added: added.map(({ id }) => id), removed, reweighted: weight.map(([id]) => id) }
  }

  #emit<Name extends keyof DnsEvents>(name: Name, event: DnsEvents[Name]): void {
    const published = name === 'update' ? updates : errors
    published.publish(event)
    const listeners: Set<(event: DnsEvents[Name]) => void> = this.#listeners[name]
    for (const listener of listeners) listener(event)
  }
}

export type { DnsDiscovery }

interface Settings {
  readonly interval: number
  readonly minInterval: number
  readonly jitter: number
  readonly maxBackends: number
  readonly resolver: DnsResolver
  readonly signal: AbortSignal | undefined
  readonly clock: Clock
  readonly random: Random
}

function checkOptions(options: DnsDiscoveryOptions): Settings {
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
  return {
    interval,
    minInterval,
    jitter,
    maxBackends,
    resolver: options.resolver ?? new Resolver(),
    signal: options.signal,
    clock: options.clock ?? realClock,
    random: options.random ?? realRandom,
  }
}

function checkQuery(query: DnsQuery): void {
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

/** `ttl` in milliseconds; infinite where nobody tells. */
async function resolve(resolver: DnsResolver, query: DnsQuery): Promise<{ found: Found; ttl: number }> {
  if (query.type === 'SRV') {
    return { found: services(await resolver.resolveSrv(query.name)), ttl: Number.POSITIVE_INFINITY }
  }
  const records =
    query.type === 'A'
      ? await resolver.resolve4(query.name, { ttl: true })
      : await resolver.resolve6(query.name, { ttl: true })
  const found = new Map<string, Backend>()
  let least = Number.POSITIVE_INFINITY
  for (const { address, ttl } of records) {
    if (isIP(address) !== (query.type === 'A' ? 4 : 6) || !(ttl >= 0)) throw malformed({ address, ttl })
    const id = query.type === 'A' ? `${address}:${query.port}` : `[${address}]:${query.port}`
    found.set(id, { id, weight: 1, priority: 0 })
    least = Math.min(least, ttl)
  }
  return { found, ttl: 1000 * least }
}

function services(records: Awaited<ReturnType<DnsResolver['resolveSrv']>>): Found {
  const priorities = [...new Set(records.map(({ priority }) => priority))].toSorted((a, b) => a - b)
  const found = new Map<string, Backend>()
  for (const { name, port, priority, weight } of records) {
    // A target of "." says that there is no such service (RFC 2782).
    if (name === '' || name === '.') continue
    // Whatever bytes a server puts into a name come through.
    if (!/^[!-9;-~]+$/.test(name) || !(port >= 1 && port <= 65_535)) throw malformed({ name, port })
    const id = `${name.toLowerCase()}:${port}`
    const backend = { id, weight: Math.max(1, weight), priority: priorities.indexOf(priority) }
    const twin = found.get(id)
    if (twin === undefined || backend.priority < (twin.priority ?? 0)) found.set(id, backend)
  }
  return found
}

/** Refuses a whole answer: what else is wrong with it nobody knows. */
function malformed(record: object): Error {
  return new Error(`the answer has a malformed record, ${JSON.stringify(record)}`)
}

function unusable({ name }: DnsQuery, count: number, most: number): MaglevError {
  return new MaglevError(
    'DISCOVERY_FAILED',
    count === 0
      ? `DNS names no backend for ${shown(name)}; the last ones stay`
      : `DNS names ${count} backends for ${shown(name)}, more than maxBackends (${most}); the last ones stay`,
  )
}

function failed({ name, type }: DnsQuery, cause: unknown): unknown {
  if (cause instanceof MaglevError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new MaglevError(
    'DISCOVERY_FAILED',
    `${type} records of ${shown(name)}: ${reason}; the last backends stay`,
    { cause },
  )
}
