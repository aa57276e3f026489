import { randomInt } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { reasonOf } from './errors.ts'
import { tellDesk } from './lifeline.ts'
import { type Fortune, type Service, weatherOf } from './weather.ts'

const SLOW_MS = 400

/** What is sent back. */
export interface Reply {
  readonly status: number
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string | Uint8Array
}

export type Answer = (request: IncomingMessage) => Promise<Reply>

export function jsonReply(status: number, body: object): Reply {
  return { status, headers: [['content-type', 'application/json']], body: JSON.stringify(body) }
}

/**
 * A server whose work is exposed to the weather.
 *
 * @param service names it in the script
 * @param sheltered whether a request is answered in any weather
 */
export function exposedServer(
  service: Service,
  fortune: Fortune | null,
  seed: number,
  sheltered: (request: IncomingMessage) => boolean,
  answer: Answer,
): Server {
  const weather = weatherOf(fortune, service, seed)
  let firstAt: number | undefined
  let troubled = 0

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (sheltered(request)) return send(response, await answer(request))
    firstAt ??= performance.now()
    const now = weather(performance.now() - firstAt)
    if (now === 'fair') return send(response, await answer(request))
    // Of two calls in trouble, one is done all the same, at once: its caller cannot know.
    const done = troubled++ % 2 === 0
    if (now === 'slow') {
      const early = done ? await answer(request) : undefined
      setTimeout(() => void late(request, response, early), SLOW_MS)
      return
    }
    if (now === 'refuses' && !done) return send(response, outOfOrder())
    if (done) await answer(request)
    if (now === 'refuses') request.socket.destroy()
  }

  /** What was not done yet is done now, when its caller may have given up. */
  const late = async (
    request: IncomingMessage,
    response: ServerResponse,
    early: Reply | undefined,
  ): Promise<void> => {
    try {
      send(response, early ?? (await answer(request)))
    } catch (error) {
      fail(response, error)
    }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => fail(response, error))
  })
  // Its clients decide how long their connections live: one that it ended could be asked once more in that moment.
  server.keepAliveTimeout = 0
  return server
}

/**
 * Opens it on a port of 127.0.0.1, a free one for 0, and tells the desk where. That one is below the range of which systems
 * give ports to whoever asks: nobody has it meanwhile where the server dies and is started again.
 */
export function openForDesk(server: Server, port: number = 0): void {
  const listen = (): unknown => server.listen(port === 0 ? randomInt(10_000, 20_000) : port, '127.0.0.1')
  server.on('error', (error: NodeJS.ErrnoException) => {
    if (port !== 0 || error.code !== 'EADDRINUSE') throw error
    listen()
  })
  server.on('listening', () => {
    const address = server.address()
    if (typeof address === 'object') tellDesk({ kind: 'open', url: `http://127.0.0.1:${address?.port}` })
  })
  listen()
}

function outOfOrder(): Reply {
  return jsonReply(503, { error: { type: 'api_error', message: 'out of order' } })
}

function fail(response: ServerResponse, error: unknown): void {
  send(response, jsonReply(500, { error: { type: 'api_error', message: reasonOf(error) } }))
}

function send(response: ServerResponse, { status, headers, body }: Reply): void {
  if (response.headersSent) return
  response.writeHead(status, headers.flat()).end(body)
}
