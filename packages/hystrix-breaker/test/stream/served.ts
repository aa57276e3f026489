import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http'
import { readData, type StreamData } from '../../src/adapters/stream-data.ts'
import { EventStreamReader } from '../../src/adapters/stream-events.ts'

export interface Served extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly server: Server
}

/** A server on 127.0.0.1, on a free port or on `port`. */
export async function served(listener: RequestListener, port = 0): Promise<Served> {
  const server = createServer(listener).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('A TCP server has a port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    server,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      if (server.listening) server.close()
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** One request with its whole answer. */
export async function ask(
  url: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const asked = request(url, { method, headers, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.setEncoding('utf8')
  let text = ''
  for await (const piece of response) text += String(piece)
  return { status: response.statusCode ?? 0, headers: response.headers, text }
}

/** A client of a stream: what came is kept, and waited for. */
export class StreamListener implements Disposable {
  readonly frames: StreamData[] = []
  readonly texts: string[] = []
  raw = ''
  pings = 0
  ended = false
  readonly response: IncomingMessage
  readonly #changed = new Set<() => void>()

  static async open(url: string, headers: Record<string, string> = {}): Promise<StreamListener> {
    const asked = request(url, { headers, agent: false }).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    return new StreamListener(response)
  }

  private constructor(response: IncomingMessage) {
    this.response = response
    const reader = new EventStreamReader(10_000_000)
    response.setEncoding('utf8')
    response.on('data', (piece: string) => {
      this.raw += piece
      for (const event of reader.read(piece)) {
        if (event.kind === 'ping') this.pings++
        else {
          this.texts.push(event.text)
          const frame = readData(event.text)
          if (frame !== undefined) this.frames.push(frame)
        }
      }
      this.#wake()
    })
    const end = (): void => {
      this.ended = true
      this.#wake()
    }
    response.on('end', end)
    response.on('close', end)
    response.on('error', end)
  }

  /** Until `found` answers something. */
  async until<T>(found: (listener: this) => T | undefined | false): Promise<T> {
    while (true) {
      const value = found(this)
      if (value !== undefined && value !== false) return value
      await new Promise<void>((resolve) => {
        this.#changed.add(resolve)
      })
    }
  }

  /** The next frame of that name from now on. */
  next(name: string, type = 'HystrixCommand'): Promise<StreamData> {
    const from = this.frames.length
    return this.until(() =>
      this.frames.slice(from).find((frame) => frame.name === name && frame.type === type),
    )
  }

  [Symbol.dispose](): void {
    this.response.destroy()
  }

  #wake(): void {
    const waiting = [...this.#changed]
    this.#changed.clear()
    for (const resolve of waiting) resolve()
  }
}
