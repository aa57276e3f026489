import type { IncomingMessage, ServerResponse } from 'node:http'
import { InvalidOptionError, shown } from '../errors.ts'
import { checkClock, checkDuration, checkInteger, type Duration } from '../option-checks.ts'
import { type Clock, realClock } from '../ports.ts'
import { type Authorize, admit, answerText } from './stream-access.ts'
import { deletionText, frameText, keyOf, type StreamData } from './stream-data.ts'

export interface StreamOptions {
  /** Time between two frames of a command; a client can ask for another one by `?delay=` in milliseconds. Default 500 ms. */
  readonly delay?: Duration
  /** Clients at once; further ones get 503. Default 5. */
  readonly maxConnections?: number
  /** Whether a request may read the stream; others get 401. Default: everybody who reaches it. */
  readonly authorize?: Authorize
  /** Default: real time. */
  readonly clock?: Clock
}

/** A listener for `node:http` and for frameworks that hand on its request and response. Disposing ends its streams. */
export interface StreamEndpoint extends AsyncDisposable {
  (request: IncomingMessage, response: ServerResponse): void
  /** Clients that read now. */
  readonly connections: number
}

/** What is shown. `begin` and `end` are called with the first client and after the last one. */
export interface StreamSource {
  data(): readonly StreamData[]
  begin?(): void
  end?(): void
}

export const streamOptionNames: readonly (keyof StreamOptions)[] = [
  'delay',
  'maxConnections',
  'authorize',
  'clock',
]

// Exactly those of HystrixSampleSseServlet.
const headers = {
  'Content-Type': 'text/event-stream;charset=UTF-8',
  'Cache-Control': 'no-cache, no-store, max-age=0, must-revalidate',
  Pragma: 'no-cache',
}

const ping = 'ping: \n\n'
const delayMax = 60_000
/** A client may ask for frames no more often. */
const askedDelayMin = 100
/** A client that takes nothing for so long gives its place to others. */
const stalledMax = 30_000

/** @throws InvalidOptionError naming the option. */
export function streamEndpoint(source: StreamSource, options: StreamOptions): StreamEndpoint {
  const connections = new StreamConnections(source, options)
  const listen = (request: IncomingMessage, response: ServerResponse): void =>
    connections.listen(request, response)
  return Object.defineProperties(listen, {
    connections: { get: () => connections.size, enumerable: true },
    [Symbol.asyncDispose]: { value: async () => connections.close() },
  }) as StreamEndpoint
}

/** Clients whose frames go out at the same time. */
interface Round {
  readonly delay: number
  readonly clients: Set<Client>
  timer: unknown
}

interface Client {
  readonly response: ServerResponse
  /** What it was last told of, by key. */
  told: ReadonlyMap<string, StreamData>
  /** When its buffer filled; undefined while it reads. */
  stalledAt: number | undefined
}

class StreamConnections {
  readonly #source: StreamSource
  readonly #delay: number
  readonly #max: number
  readonly #authorize: Authorize | undefined
  readonly #clock: Clock
  // By their delay.
  readonly #rounds = new Map<number, Round>()
  #size = 0
  #closed = false
  #warned = false

  constructor(source: StreamSource, options: StreamOptions) {
    const { authorize } = options
    if (authorize !== undefined && typeof authorize !== 'function')
      throw new InvalidOptionError(`authorize must be a function, not ${shown(authorize)}`)
    this.#source = source
    this.#delay = checkDuration('delay', options.delay ?? 500)
    this.#max = checkInteger('maxConnections', options.maxConnections ?? 5, 1, 100_000)
    this.#authorize = authorize
    this.#clock = checkClock(options.clock ?? realClock)
  }

  get size(): number {
    return this.#size
  }

  listen(request: IncomingMessage, response: ServerResponse): void {
    admit(request, response, { methods: ['GET', 'HEAD'], authorize: this.#authorize }, () => {
      const delay = this.#delayOf(request)
      if (this.#closed) answerText(response, 503, 'Service has been shut down.')
      else if (delay === undefined)
        answerText(response, 400, `delay must be milliseconds, ${askedDelayMin} to ${delayMax}`)
      else if (request.method === 'HEAD') response.writeHead(200, headers).end()
      else if (this.#size >= this.#max)
        answerText(response, 503, `MaxConcurrentConnections reached: ${this.#max}`)
      else if (!response.destroyed) this.#begin(response, delay)
    })
  }

  close(): void {
    this.#closed = true
    for (const { clients } of this.#rounds.values()) {
      for (const client of clients) {
        // What a client does not read would keep it open for ever.
        if (client.stalledAt === undefined) client.response.end()
        else client.response.destroy()
        this.#leave(client)
      }
    }
  }

  #begin(response: ServerResponse, delay: number): void {
    const client: Client = { response, told: new Map(), stalledAt: undefined }
    response.writeHead(200, headers)
    response.on('close', () => this.#leave(client))
    response.on('drain', () => {
      client.stalledAt = undefined
    })
    if (this.#size++ === 0) this.#source.begin?.()
    let round = this.#rounds.get(delay)
    if (round === undefined) {
      round = { delay, clients: new Set(), timer: undefined }
      this.#rounds.set(delay, round)
      this.#arm(round)
    }
    round.clients.add(client)
    this.#send([client])
  }

  #leave(client: Client): void {
    for (const round of this.#rounds.values()) {
      if (!round.clients.delete(client)) continue
      if (round.clients.size === 0) {
        this.#clock.clearTimeout(round.timer)
        this.#rounds.delete(round.delay)
      }
      if (--this.#size === 0) this.#source.end?.()
    }
  }

  #arm(round: Round): void {
    round.timer = this.#clock.setTimeout(() => {
      this.#arm(round)
      this.#send(round.clients)
    }, round.delay)
  }

  // A client that has not taken what it was sent gets nothing: at most one moment waits in its buffer.
  #send(clients: Iterable<Client>): void {
    const now = this.#clock.monotonic()
    const ready: Client[] = []
    for (const client of clients) {
      if (client.stalledAt === undefined) ready.push(client)
      else if (now - client.stalledAt >= stalledMax) client.response.destroy()
    }
    if (ready.length === 0) return
    const data = this.#data()
    if (data === undefined) return
    const text = [...data.values()].map(frameText).join('') + ping
    for (const client of ready) {
      const gone = [...client.told].filter(([key]) => !data.has(key))
      client.told = data
      if (!client.response.write(gone.map(([, each]) => deletionText(each)).join('') + text))
        client.stalledAt = now
    }
  }

  // What a breaker or collapser of the user's own throws must not end the process that is looked at.
  #data(): ReadonlyMap<string, StreamData> | undefined {
    try {
      return new Map(this.#source.data().map((each) => [keyOf(each), each]))
    } catch (error) {
      if (!this.#warned) process.emitWarning(error instanceof Error ? error : new Error(String(error)))
      this.#warned = true
      return undefined
    }
  }

  #delayOf({ url = '' }: IncomingMessage): number | undefined {
    const query = url.indexOf('?')
    const asked = query === -1 ? null : new URLSearchParams(url.slice(query)).get('delay')
    if (asked === null) return this.#delay
    const delay = /^\d{1,6}$/.test(asked) ? Number(asked) : 0
    return delay >= Math.min(askedDelayMin, this.#delay) && delay <= delayMax ? delay : undefined
  }
}
