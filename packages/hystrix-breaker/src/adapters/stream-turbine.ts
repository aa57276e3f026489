import { channel } from 'node:diagnostics_channel'
import { type Channels, Emitter } from '../emitter.ts'
import { InvalidOptionError, shown } from '../errors.ts'
import { checkClock, checkDuration, checkNames, type Duration } from '../option-checks.ts'
import { type Clock, realClock } from '../ports.ts'
import { aggregate } from './stream-aggregate.ts'
import { type StreamAddress, StreamClient } from './stream-client.ts'
import {
  type StreamEndpoint,
  type StreamOptions,
  type StreamSource,
  streamEndpoint,
  streamOptionNames,
} from './stream-connections.ts'
import { keyOf, readData, type StreamData } from './stream-data.ts'
import type { StreamEvent } from './stream-events.ts'

/** The address of a `hystrix.stream`, or of another aggregation. */
export type TurbineSource =
  | string
  | URL
  | {
      readonly url: string | URL
      /** Sent with the request, for example `Authorization`. */
      readonly headers?: Readonly<Record<string, string>>
    }

export interface TurbineOptions extends StreamOptions {
  /** How often a function of sources is asked again. Default 10 s. */
  readonly refresh?: Duration
  /** A source that sends nothing for so long is connected again; data that old is left out. Default 10 s. */
  readonly timeout?: Duration
}

/** A source as it is now. */
export interface TurbinePeer {
  /** Without user and password. */
  readonly url: string
  readonly connected: boolean
  /** Commands, pools and collapsers that it reports. */
  readonly reported: number
}

/** Also published to the channels of `node:diagnostics_channel` below `loadbearing:hystrix-breaker:turbine-`. */
export interface TurbineEvents {
  connect: { readonly url: string }
  /** `retryIn` in milliseconds. */
  lost: { readonly url: string; readonly error: Error; readonly retryIn: number }
  /** The function of sources threw, or gave what is no list of them; the last list holds. */
  refreshError: { readonly error: unknown }
}

export interface TurbineEndpoint extends StreamEndpoint {
  readonly peers: readonly TurbinePeer[]
  /** Calls `listener` for each event; the function that comes back ends it. */
  on<Name extends keyof TurbineEvents>(name: Name, listener: (event: TurbineEvents[Name]) => void): () => void
}

type Sources =
  | readonly TurbineSource[]
  | (() => readonly TurbineSource[] | PromiseLike<readonly TurbineSource[]>)

/**
 * `turbine.stream`: the streams of several processes as one, each command once for all, in numbers that dashboards
 * divide by `reportingHosts` (see {@link aggregate}). Sources are connected while a client reads, and again where they
 * break off, hang or send what is no stream; the others go on.
 *
 * ```ts
 * createServer(turbineStream(['http://10.0.0.1:8080/hystrix.stream', 'http://10.0.0.2:8080/hystrix.stream']))
 * ```
 *
 * @param sources addresses, or a function that is asked for them now and then
 * @throws InvalidOptionError naming the option or the source.
 */
export function turbineStream(sources: Sources, options: TurbineOptions = {}): TurbineEndpoint {
  checkNames('options', options, [...streamOptionNames, 'refresh', 'timeout'])
  const turbine = new Turbine(sources, options)
  const { clock, delay, maxConnections, authorize } = options
  const endpoint = streamEndpoint(turbine, {
    ...(clock === undefined ? {} : { clock }),
    ...(delay === undefined ? {} : { delay }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
    ...(authorize === undefined ? {} : { authorize }),
  })
  return Object.defineProperties(endpoint, {
    peers: { get: () => turbine.peers, enumerable: true },
    on: { value: turbine.emitter.on.bind(turbine.emitter) },
  }) as TurbineEndpoint
}

const channels: Channels<TurbineEvents> = {
  connect: channel('loadbearing:hystrix-breaker:turbine-connect'),
  lost: channel('loadbearing:hystrix-breaker:turbine-lost'),
  refreshError: channel('loadbearing:hystrix-breaker:turbine-refresh-error'),
}

const sourcesMax = 10_000

class Turbine implements StreamSource {
  readonly emitter: Emitter<TurbineEvents> = new Emitter(channels)
  readonly #sources: Sources
  readonly #refresh: number
  readonly #timeout: number
  readonly #clock: Clock
  // By their addresses.
  readonly #peers = new Map<string, Peer>()
  #timer: unknown
  // Counted up by begin and end, so that an answer of before is known.
  #round = 0

  constructor(sources: Sources, options: TurbineOptions) {
    if (typeof sources !== 'function') readSources(sources)
    this.#sources = sources
    this.#refresh = checkDuration('refresh', options.refresh ?? 10_000)
    this.#timeout = checkDuration('timeout', options.timeout ?? 10_000)
    this.#clock = checkClock(options.clock ?? realClock)
  }

  get peers(): readonly TurbinePeer[] {
    return [...this.#peers.values()].map(({ url, connected, reported }) => ({ url, connected, reported }))
  }

  data(): StreamData[] {
    return aggregate([...this.#peers.values()].map((peer) => peer.data()))
  }

  begin(): void {
    this.#round++
    if (typeof this.#sources === 'function') void this.#ask(this.#sources)
    else this.#connect(readSources(this.#sources))
  }

  end(): void {
    this.#round++
    this.#clock.clearTimeout(this.#timer)
    for (const peer of this.#peers.values()) peer.stop()
    this.#peers.clear()
  }

  async #ask(sources: Extract<Sources, () => unknown>): Promise<void> {
    const round = this.#round
    try {
      const addresses = readSources(await sources())
      if (round === this.#round) this.#connect(addresses)
    } catch (error) {
      this.emitter.emit('refreshError', () => ({ error }))
    }
    if (round === this.#round)
      this.#timer = this.#clock.setTimeout(() => void this.#ask(sources), this.#refresh)
  }

  #connect(addresses: ReadonlyMap<string, StreamAddress>): void {
    for (const [key, peer] of this.#peers) {
      if (addresses.has(key)) continue
      peer.stop()
      this.#peers.delete(key)
    }
    for (const [key, address] of addresses) {
      if (this.#peers.has(key)) continue
      const peer = new Peer(address, this.#timeout, this.#clock, this.emitter)
      this.#peers.set(key, peer)
      peer.start()
    }
  }
}

/** What one source may report, so that it cannot fill the memory. */
const entriesMax = 5_000
const charactersMax = 16 * 1024 * 1024

interface Entry {
  readonly data: StreamData
  readonly characters: number
  readonly at: number
}

class Peer {
  readonly url: string
  connected = false
  readonly #client: StreamClient
  readonly #timeout: number
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  #characters = 0

  constructor(address: StreamAddress, timeout: number, clock: Clock, emitter: Emitter<TurbineEvents>) {
    this.url = shownUrl(address.url)
    this.#timeout = timeout
    this.#clock = clock
    const { url } = this
    this.#client = new StreamClient(
      address,
      {
        connected: () => {
          this.connected = true
          emitter.emit('connect', () => ({ url }))
        },
        event: (event) => this.#event(event),
        lost: (error, retryIn) => {
          this.connected = false
          this.#entries.clear()
          this.#characters = 0
          emitter.emit('lost', () => ({ url, error, retryIn }))
        },
      },
      { timeout, clock },
    )
  }

  get reported(): number {
    return this.#entries.size
  }

  /** What it reported, but for what it has stopped reporting. */
  *data(): Iterable<StreamData> {
    const oldest = this.#clock.monotonic() - this.#timeout
    for (const [key, { data, at }] of this.#entries) {
      if (at < oldest) this.#forget(key)
      else yield data
    }
  }

  start(): void {
    this.#client.start()
  }

  stop(): void {
    this.#client.stop()
  }

  #event(event: StreamEvent): void {
    if (event.kind !== 'data') return
    const data = readData(event.text)
    if (data === undefined) return
    const key = keyOf(data)
    this.#forget(key)
    if (data['deleteData'] === 'true' || data['deleteData'] === true) return
    const characters = event.text.length
    if (this.#entries.size >= entriesMax || this.#characters + characters > charactersMax) return
    this.#entries.set(key, { data, characters, at: this.#clock.monotonic() })
    this.#characters += characters
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#characters -= entry.characters
  }
}

/** By their addresses, each once. */
function readSources(sources: unknown): Map<string, StreamAddress> {
  if (!Array.isArray(sources))
    throw new InvalidOptionError(`sources must be a list of addresses, not ${shown(sources)}`)
  if (sources.length > sourcesMax)
    throw new InvalidOptionError(`sources must be at most ${sourcesMax}, not ${sources.length}`)
  const addresses = sources.map((source: unknown) => readSource(source))
  return new Map(addresses.map((address) => [address.url.href, address]))
}

function readSource(source: unknown): StreamAddress {
  if (typeof source === 'object' && source !== null && !(source instanceof URL)) {
    checkNames('a source', source, ['url', 'headers'])
    if ('url' in source)
      return { url: readUrl(source.url), headers: 'headers' in source ? readHeaders(source.headers) : {} }
  }
  return { url: readUrl(source), headers: {} }
}

function readUrl(source: unknown): URL {
  const url = typeof source === 'string' || source instanceof URL ? URL.parse(String(source)) : null
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new InvalidOptionError(
    `a source must be a URL of http or https such as http://127.0.0.1:8080/hystrix.stream, not ${shown(source)}`,
  )
}

function readHeaders(headers: unknown): Record<string, string> {
  if (headers === undefined) return {}
  if (headers === null || typeof headers !== 'object')
    throw new InvalidOptionError(`headers of a source must be an object, not ${shown(headers)}`)
  const entries = Object.entries(headers)
  const strange = entries.find(([, value]) => typeof value !== 'string')
  if (strange !== undefined)
    throw new InvalidOptionError(
      `header ${shown(strange[0])} of a source must be a text, not ${shown(strange[1])}`,
    )
  return Object.fromEntries(entries)
}

function shownUrl(url: URL): string {
  const shownOne = new URL(url)
  shownOne.username = ''
  shownOne.password = ''
  return shownOne.href
}
