import { once } from 'node:events'
import {
  Agent,
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
import { connect } from 'node:net'
import {
  createHttpProxy,
  type HttpEndEvent,
  type HttpProxy,
  type HttpProxyOptions,
} from '../../src/adapters/http-proxy.ts'
import { Maglev } from '../../src/index.ts'
import { portOf, RecordingBalancer } from './backends.ts'

export class HttpBackend implements AsyncDisposable {
  readonly id: string
  readonly server: Server

  private constructor(server: Server) {
    this.server = server
    this.id = `127.0.0.1:${portOf(server)}`
  }

  static async start(serve: RequestListener): Promise<HttpBackend> {
    const server = createServer(serve)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return new HttpBackend(server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve))
    this.server.closeAllConnections()
    await closed
  }
}

export interface Running extends AsyncDisposable {
  readonly proxy: HttpProxy
  readonly port: number
  readonly balancer: RecordingBalancer
  readonly ends: HttpEndEvent[]
}

export async function running(ids: readonly string[], options: HttpProxyOptions = {}): Promise<Running> {
  const balancer = new RecordingBalancer(new Maglev(ids))
  const proxy = createHttpProxy(balancer, { drainTimeout: '1s', ...options })
  const ends: HttpEndEvent[] = []
  proxy.on('end', (event) => ends.push(event))
  const { port } = await proxy.listen({ port: 0, host: '127.0.0.1' })
  return { proxy, port, balancer, ends, [Symbol.asyncDispose]: () => proxy.close() }
}

export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: IncomingMessage['headersDistinct']
  readonly trailers: IncomingMessage['trailers']
}

export async function bodyOf(message: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of message.setEncoding('latin1')) body += String(chunk)
  return body
}

export async function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  const [response]: IncomingMessage[] = await once(request, 'response')
  if (response === undefined) throw new Error('no response')
  // A connection that breaks is an error of the request as well as of the response.
  request.on('error', () => {})
  return response
}

export interface Ask {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string | string[]>
  readonly body?: string
  readonly agent?: Agent
}

export async function ask(port: number, { method, path, headers, body, agent }: Ask = {}): Promise<Answer> {
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    ...(method !== undefined && { method }),
    ...(path !== undefined && { path }),
    ...(headers !== undefined && { headers }),
    agent: agent ?? false,
  })
  // As bytes: node:http would write the head in the encoding of a string.
  request.end(Buffer.from(body ?? ''))
  const response = await responseTo(request)
  const text = await bodyOf(response)
  return {
    status: response.statusCode ?? 0,
    body: text,
    headers: response.headersDistinct,
    trailers: response.trailers,
  }
}

/** Sends bytes as they are and gives all that comes back until the connection ends, one way or another. */
export function raw(
  port: number,
  bytes: string | Buffer,
  end: 'half-close' | 'stay' = 'stay',
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    let all = ''
    socket.on('data', (chunk) => {
      all += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.once('end', () => socket.end())
    socket.once('close', () => resolve(all))
    if (end === 'half-close') socket.end(bytes)
    else socket.write(bytes)
  })
}

/** Answers with what it was asked. */
export const mirror: RequestListener = (request, response) => {
  void bodyOf(request).then((body) => {
    const { method, url, rawHeaders, rawTrailers } = request
    return response.end(JSON.stringify({ method, url, rawHeaders, rawTrailers, body }))
  })
}

export interface Mirrored {
  method: string
  url: string
  rawHeaders: string[]
  rawTrailers: string[]
  body: string
}

export const mirrored = (answer: { body: string }): Mirrored =>
  JSON.parse(Buffer.from(answer.body, 'latin1').toString())
export const fields = ({ rawHeaders }: Mirrored): [string, string][] =>
  Array.from({ length: rawHeaders.length / 2 }, (_, n) => [
    rawHeaders[2 * n]?.toLowerCase() ?? '',
    rawHeaders[2 * n + 1] ?? '',
  ])
export const field = (seen: Mirrored, name: string): string[] =>
  fields(seen).flatMap(([one, value]) => (one === name ? [value] : []))
