import { channel } from 'node:diagnostics_channel'
import { isIP } from 'node:net'
import type { Backend } from '../backend.ts'
import type { Change } from '../configuration.ts'
import { Emitter } from '../emitter.ts'
import { MaglevError, shown } from '../errors.ts'
import { wantMethods } from '../given.ts'
import {
  checkQuery,
  type DnsDiscoveryOptions,
  type DnsQuery,
  type DnsResolver,
  type DnsSettings,
  dnsSettings,
} from './dns-options.ts'

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
  /**
   * A question failed, and the last good set stays: `error` is a MaglevError of code `DISCOVERY_FAILED`. Or the target refused a part
   * of the answer, which it is told once: `error` is what `update` threw; the rest of the answer is in force.
   */
  error: { readonly error: unknown; readonly failures: number; readonly retryIn: number }
}

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
  readonly #settings: DnsSettings
  readonly #emitter: Emitter<DnsEvents> = new Emitter({
    update: channel('loadbearing:maglev:discovery'),
    error: channel('loadbearing:maglev:discovery-error'),
  })
  /** Why the target refuses something of the answer, each told once. */
  #refusals: ReadonlySet<string> = new Set()
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
    wantMethods('target', target, 'a Maglev or a Pool', ['update'])
    checkQuery(query)
    this.#target = target
    this.#query = query
    this.#settings = dnsSettings(options)
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
    return this.#emitter.on(name, listener)
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
      const { update, refused } = this.#apply(found)
      this.#failures = refused.length === 0 ? 0 : this.#failures + 1
      const wait = Math.max(minInterval, Math.min(interval, ttl))
      this.#schedule(wait)
      if (update) this.#emitter.emit('update', () => update)
      this.#report(refused, wait)
    } catch (error) {
      if (this.#closed) return
      const retryIn = Math.min(interval, minInterval * 2 ** this.#failures)
      this.#failures++
      this.#schedule(retryIn)
      this.#emitError(error, retryIn)
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

  /** Brings the target up to date; what it refuses keeps nothing else out, and is tried again with the next answer. */
  #apply(found: Found): { readonly update: DnsUpdate | undefined; readonly refused: readonly unknown[] } {
    const steps = stepsBetween(this.#known, found)
    if (steps.length === 0) return { update: undefined, refused: [] }
    try {
      this.#target.update(changeOf(steps))
      this.#known = found
      return { update: updateOf(steps), refused: [] }
    } catch {
      // One by one, to find out which.
    }
    const known = new Map(this.#known)
    const done: Step[] = []
    const refused: unknown[] = []
    for (const step of steps) {
      try {
        this.#target.update(changeOf([step]))
        done.push(step)
      } catch (error) {
        refused.push(error)
        // Somebody else has taken it out: nothing is left to be done.
        if (!(error instanceof MaglevError && error.code === 'UNKNOWN_BACKEND')) continue
      }
      if (step.to === undefined) known.delete(step.id)
      else known.set(step.id, step.to)
    }
    this.#known = known
    return { update: done.length === 0 ? undefined : updateOf(done), refused }
  }

  /** Tells of each refusal once, not with every answer that says the same. */
  #report(refused: readonly unknown[], retryIn: number): void {
    const told = this.#refusals
    this.#refusals = new Set(refused.map(String))
    for (const error of refused) if (!told.has(String(error))) this.#emitError(error, retryIn)
  }

  #emitError(error: unknown, retryIn: number): void {
    const failures = this.#failures
    this.#emitter.emit('error', () => ({ error: failed(this.#query, error), failures, retryIn }))
  }
}

/** What an answer changes for one id. */
interface Step {
  readonly id: string
  readonly from: Backend | undefined
  readonly to: Backend | undefined
}

/** First what goes, so that there is room for what comes. */
function stepsBetween(known: Found, found: Found): Step[] {
  const steps: Step[] = []
  for (const [id, from] of known) if (!found.has(id)) steps.push({ id, from, to: undefined })
  for (const [id, to] of found) {
    const from = known.get(id)
    if (from?.priority !== to.priority || from?.weight !== to.weight) steps.push({ id, from, to })
  }
  return steps
}

function isReweighted({ from, to }: Step): boolean {
  return from !== undefined && to !== undefined && from.priority === to.priority
}

function changeOf(steps: readonly Step[]): Change {
  const moved = steps.filter((step) => !isReweighted(step))
  return {
    remove: moved.filter(({ from }) => from !== undefined).map(({ id }) => id),
    add: moved.flatMap(({ to }) => to ?? []),
    weight: Object.fromEntries(steps.filter(isReweighted).map(({ id, to }) => [id, to?.weight ?? 1])),
  }
}

function updateOf(steps: readonly Step[]): DnsUpdate {
  const { remove = [], add = [], weight = {} } = changeOf(steps)
  return {
    added: add.map((each) => (typeof each === 'string' ? each : each.id)),
    removed: remove,
    reweighted: Object.keys(weight),
  }
}

export type { DnsDiscovery, DnsDiscoveryOptions, DnsQuery, DnsResolver }

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
