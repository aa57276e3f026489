import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { reasonOf } from './errors.ts'
import { tellDesk } from './lifeline.ts'
import { type Fortune, type Service, weatherOf } from './weather.ts'

const SLOW_MS = 400

/** Answers a request: the status, and the body as JSON. */
export type Answer = (request: IncomingMessage) => Promise<{ status: number; body: object }>

/**
 * A server whose work is exposed to the weather. What is asked by GET of `shelteredPath` is not: the books are read in any weather.
 *
 * @param service names it in the script
 */
export function exposedServer(
  service: Service,
  fortune: Fortune | null,
  seed: number,
  shelteredPath: string | undefined,
  answer: Answer,
): Server {
  const weather = weatherOf(fortune, service, seed)
  let firstAt: number | undefined
  let troubled = 0

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === 'GET' && request.url === shelteredPath)
      return reply(response, await answer(request))
    firstAt ??= performance.now()
    const now = weather(performance.now() - firstAt)
    if (now === 'fair') return reply(response, await answer(request))
    // Of two calls in trouble, one is done all the same: its caller cannot know.
    const done = troubled++ % 2 === 0
    if (now === 'refuses' && !done) return reply(response, { status: 503, body: { error: 'out of order' } })
    const answered = done || now === 'slow' ? await answer(request) : undefined
    if (now === 'refuses') request.socket.destroy()
    else if (now === 'slow' && answered !== undefined) setTimeout(() => reply(response, answered), SLOW_MS)
  }

  return createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      reply(response, { status: 500, body: { error: reasonOf(error) } })
    })
  })
}

/** Opens it on a free port of 127.0.0.1 and tells the desk where. */
export function openForDesk(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (typeof address === 'object') tellDesk({ kind: 'open', url: `http://127.0.0.1:${address?.port}` })
  })
}

function reply(response: ServerResponse, { status, body }: { status: number; body: object }): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
