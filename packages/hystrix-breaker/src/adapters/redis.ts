import { randomUUID } from 'node:crypto'
import type { Breaker } from '../breaker.ts'
import { Emitter } from '../emitter.ts'
import { InvalidOptionError, ResilienceError, shown } from '../errors.ts'
import { checkClock, checkDuration, checkInteger, checkNames, type Duration } from '../option-checks.ts'
import { type Clock, realClock } from '../ports.ts'
import { redisPort, type SharedRedisClient, type Subscription } from './redis-client.ts'
import { type RedisSharedEvents, sharedChannels } from './redis-events.ts'
import { circuitKeys } from './redis-key.ts'
import { type LinkSettings, RedisLink } from './redis-link.ts'
import { readMessage } from './redis-script.ts'

export type {
  IoredisClient,
  IoredisSubscriber,
  NodeRedisClient,
  NodeRedisSubscriber,
  SharedRedisClient,
} from './redis-client.ts'
export type { FleetChangeEvent, FleetContactEvent, LostEvent, RedisSharedEvents } from './redis-events.ts'

export interface RedisSharedOptions {
  /** Circuits of a name that must be open for all of that name to open, 1 to 100,000. */
  readonly quorum: number
  /** Of keys and channel, without braces, up to 200 characters. Default `hystrix:`. */
  readonly prefix?: string
  /**
   * How often each circuit tells Redis its window and asks for what it may have missed. Default 500 ms. Votes, leases
   * and their outcomes do not wait for it.
   */
  readonly syncEvery?: Duration
  /** An answer later than this counts as the loss of Redis. No call waits for it. Default 1 s. */
  readonly timeout?: Duration
  /** For `syncEvery` and `timeout`. Default: real time. */
  readonly clock?: Clock
}

/**
 * Breakers of one name in any number of processes share their circuit over Redis 5 or later, Redis Cluster included.
 *
 * Every decision is made in memory. A circuit that opens votes; the vote that completes the quorum opens all, and so
 * does the sum of the windows, where it reaches the thresholds and a quorum of circuits reaches them by itself. Then
 * one of them at a time has the lease to half-open, and its outcome closes or reopens all. Below the quorum a circuit
 * opens and probes alone. So it does while Redis fails or is slow, until an answer comes again.
 *
 * `reset()` of one closes all; forced states stay its own, and its part in the fleet rests meanwhile.
 */
export class RedisShared implements AsyncDisposable {
  readonly #client: ReturnType<typeof redisPort>
  readonly #prefix: string
  readonly #emitter: Emitter<RedisSharedEvents> = new Emitter(sharedChannels)
  readonly #settings: LinkSettings
  readonly #links = new Map<string, RedisLink>()
  #subscription: Subscription | undefined
  #timer: unknown
  #disposed = false

  /** @throws InvalidOptionError naming the option. */
  constructor(client: SharedRedisClient, options: RedisSharedOptions) {
    checkNames('options', options, ['quorum', 'prefix', 'syncEvery', 'timeout', 'clock'])
    const { prefix = 'hystrix:' } = options
    if (typeof prefix !== 'string' || prefix.length > 200 || /[{}]/.test(prefix)) {
      throw new InvalidOptionError(
        `prefix must be a text of up to 200 characters without braces, not ${shown(prefix)}`,
      )
    }
    this.#client = redisPort(client)
    this.#prefix = prefix
    this.#settings = {
      port: this.#client,
      clock: checkClock(options.clock ?? realClock),
      channel: `${prefix}circuits`,
      member: randomUUID(),
      quorum: checkInteger('quorum', options.quorum, 1, 100_000),
      syncEvery: checkDuration('syncEvery', options.syncEvery ?? 500),
      timeout: checkDuration('timeout', options.timeout ?? 1000),
      emitter: this.#emitter,
    }
  }

  /** Calls `listener` for each event; the function that comes back ends it. */
  on<Name extends keyof RedisSharedEvents>(
    name: Name,
    listener: (event: RedisSharedEvents[Name]) => void,
  ): () => void {
    return this.#emitter.on(name, listener)
  }

  /**
   * Shares the circuit of `breaker` with those of the same name. The function that comes back ends it: resolved when
   * Redis knows, or did not answer in time.
   *
   * @throws InvalidOptionError where a breaker of that name has joined already.
   * @throws ResilienceError `DISPOSED`
   */
  join(breaker: Breaker): () => Promise<void> {
    if (this.#disposed)
      throw new ResilienceError('DISPOSED', `join: this RedisShared was disposed of: make another one`)
    const keys = circuitKeys(this.#prefix, breaker.name)
    if (this.#links.has(keys.tag)) {
      throw new InvalidOptionError(
        `join: a breaker named ${shown(breaker.name)} has joined already: give each a name of its own, and one vote`,
      )
    }
    const link = new RedisLink(breaker, keys, this.#settings)
    this.#links.set(keys.tag, link)
    this.#start()
    link.sync()
    return async () => {
      if (this.#links.get(keys.tag) === link) this.#links.delete(keys.tag)
      await link.leave()
    }
  }

  /** Takes votes and leases back, where Redis answers in time, and closes its own connection. The client stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    this.#settings.clock.clearTimeout(this.#timer)
    const links = [...this.#links.values()]
    this.#links.clear()
    await Promise.all(links.map((link) => link.leave()))
    this.#subscription?.close()
    this.#subscription = undefined
  }

  #start(): void {
    if (this.#subscription !== undefined) return
    this.#subscription = this.#client.listen(this.#settings.channel, {
      message: (text) => {
        const message = readMessage(text)
        if (message !== undefined) this.#links.get(message.tag)?.heard(message.record)
      },
      ready: () => this.#syncAll(),
    })
    this.#tick()
  }

  #tick(): void {
    if (this.#disposed) return
    // What it misses until then comes with the exchanges.
    this.#subscription?.ensure().catch(() => {})
    const { clock, syncEvery } = this.#settings
    this.#timer = clock.setTimeout(() => {
      this.#syncAll()
      this.#tick()
    }, syncEvery)
  }

  #syncAll(): void {
    for (const link of this.#links.values()) link.sync()
  }
}

/**
 * A fleet that shares its circuits.
 *
 * ```ts
 * await using shared = redisShared(new Redis(), { quorum: 2 })
 * shared.join(users.breaker)
 * ```
 *
 * @throws InvalidOptionError naming the option.
 */
export function redisShared(client: SharedRedisClient, options: RedisSharedOptions): RedisShared {
  return new RedisShared(client, options)
}
