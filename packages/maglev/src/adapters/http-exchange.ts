import { type Agent, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { isMaglevError, MaglevError } from '../errors.ts'
import type { Key } from '../key-hash.ts'
import { addressOf } from '../pool/address.ts'
import type { BackendLease, Balancer } from './balancer.ts'
import { type AttemptResult, attempt } from './http-attempt.ts'
import type { RequestHead } from './http-head.ts'
import { endToEnd, endToEndTrailers, listed } from './http-hop.ts'
import { splice } from './splice.ts'

/** What carries requests: the parts of a proxy that all its exchanges share. */
export interface Gateway {
  readonly balancer: Balancer
  readonly agent: Agent
  readonly connectTimeout: number
  readonly timeout: number
  readonly idleTimeout: number
  readonly retries: number
  readonly via: string | undefined
  /** Connections are to end with their current response. */
  closing(): boolean
  onRetry(event: { readonly backend: string; readonly attempt: number; readonly error: Error }): void
  /** Called when a connection becomes a tunnel, and the function that it returns when that ends. */
  onTunnel(client: Socket, backend: Socket): () => void
}

/** One request and the response that is to be given to it. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly head: RequestHead
  /** End-to-end fields for the backend, without those that frame the message. */
  readonly headers: readonly string[]
  readonly key: Key
  /** Values of Set-Cookie to add to the response. */
  readonly cookies: readonly string[]
  /** A WebSocket handshake: the connection and what came after the request. */
  readonly tunnel: { readonly client: Socket; readonly head: Buffer } | undefined
}

export type Outcome =
  | 'finished'
  | 'no-backend'
  | 'unreachable'
  | 'timed-out'
  | 'client-abort'
  | 'backend-abort'

export interface ExchangeEnd {
  readonly outcome: Outcome
  readonly backend: string | undefined
  readonly error: Error | undefined
}

type Answered = Exclude<AttemptResult, { kind: 'failed' }>

/** RFC 9110, section 9.2.2. */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/** Carries a request to the owner of its key and the response back. Never rejects; the response is over on return. */
export async function carry(exchange: Exchange, gateway: Gateway): Promise<ExchangeEnd> {
  const { response } = exchange
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  if (response.destroyed) gone.abort()
  const reached = await reach(exchange, gateway, gone.signal)
  if ('outcome' in reached) {
    if (reached.outcome !== 'client-abort') answer(exchange, statusOf[reached.outcome])
    return reached
  }
  using lease = reached.lease
  const { result } = reached
  const end =
    result.kind === 'upgrade'
      ? await tunnel(exchange, gateway, result)
      : await deliver(exchange, gateway, result)
  // A client that leaves says nothing about the backend.
  if (end.outcome === 'finished') lease.report(result.incoming.statusCode ?? 'failure')
  else if (end.outcome !== 'client-abort') lease.report('failure')
  return { ...end, backend: lease.id }
}

const statusOf: Readonly<Record<'no-backend' | 'unreachable' | 'timed-out', number>> = {
  'no-backend': 503,
  unreachable: 502,
  'timed-out': 504,
}

/** Answers without a backend: the status and its name. */
export function answer({ request, response }: Pick<Exchange, 'request' | 'response'>, status: number): void {
  const body = `${status} ${STATUS_CODES[status]}\n`
  // What is left of the request's body is not read.
  if (!request.complete) response.shouldKeepAlive = false
  response.writeHead(status, { 'Content-Type': 'text/plain', 'Content-Length': body.length })
  response.end(body)
}

/** Asks the owner of the key, then the next one, as long as nothing happened that asking again could repeat. */
async function reach(
  exchange: Exchange,
  gateway: Gateway,
  gone: AbortSignal,
): Promise<
  | { lease: BackendLease; result: Answered }
  | (ExchangeEnd & { outcome: keyof typeof statusOf | 'client-abort' })
> {
  const tried = new Set<string>()
  let last: { backend: string; error: Error } | undefined
  for (;;) {
    if (gone.aborted) return { outcome: 'client-abort', backend: last?.backend, error: undefined }
    let lease: BackendLease
    try {
      lease = gateway.balancer.acquire(exchange.key, { exclude: tried })
    } catch (error) {
      if (last) return { outcome: failedOutcome(last.error), ...last }
      return { outcome: 'no-backend', backend: undefined, error: asError(error) }
    }
    const result = await ask(exchange, gateway, lease, gone)
    if (result.kind !== 'failed') return { lease, result }
    if (!gone.aborted) lease.report('gateway-failure')
    lease[Symbol.dispose]()
    const { error } = result
    last = { backend: lease.id, error }
    if (gone.aborted) continue
    if (tried.size === gateway.retries || !repeatable(exchange, result)) {
      return { outcome: failedOutcome(error), ...last }
    }
    gateway.onRetry({ backend: lease.id, attempt: tried.size, error })
    tried.add(lease.id)
  }
}

/** One backend, once; or twice where a kept-alive connection turns out to be dead, which is not its fault. */
async function ask(
  exchange: Exchange,
  gateway: Gateway,
  lease: BackendLease,
  gone: AbortSignal,
): Promise<AttemptResult> {
  const { request, response, head } = exchange
  const upgrades = exchange.tunnel !== undefined
  const once = async (agent: Agent | false): Promise<AttemptResult> => {
    try {
      const address = addressOf(lease.backend)
      return await attempt({
        address,
        method: head.method,
        path: head.path,
        headers: [
          ...(head.host === undefined ? ['Host', lease.id] : ['Host', head.host]),
          ...exchange.headers,
          ...framing(head),
          ...(upgrades ? ['Connection', 'Upgrade', 'Upgrade', 'websocket'] : []),
        ],
        body: head.body === 'none' ? undefined : request,
        agent,
        connectTimeout: gateway.connectTimeout,
        idleTimeout: gateway.idleTimeout,
        responseTimeout: gateway.timeout,
        signal: gone,
        onInformation: (status, message, rawHeaders) => inform(response, status, message, rawHeaders),
        trailersOf: (body) => endToEndTrailers(body.rawTrailers),
      })
    } catch (error) {
      // No address, or a field that node:http refuses to write.
      return { kind: 'failed', error: asError(error), sent: false, stale: false }
    }
  }
  const result = await once(upgrades ? false : gateway.agent)
  const again = result.kind === 'failed' && result.stale && !gone.aborted && repeatable(exchange, result)
  return again ? once(false) : result
}

function repeatable(
  { request, response, head }: Exchange,
  failed: Extract<AttemptResult, { kind: 'failed' }>,
): boolean {
  if (informed.has(response)) return false
  if (!failed.sent) return true
  const late = isMaglevError(failed.error) && failed.error.code === 'TIMED_OUT'
  return !late && idempotent.has(head.method) && !request.readableDidRead
}

function framing(head: RequestHead): string[] {
  if (head.body === 'chunked') return ['Transfer-Encoding', 'chunked']
  // A backend may answer 411 to a POST without a length, and node:http would send chunks.
  return head.body === 'none' && !['GET', 'HEAD', 'OPTIONS', 'DELETE'].includes(head.method)
    ? ['Content-Length', '0']
    : []
}

/** Responses of which the client has already got a part. */
const informed = new WeakSet<ServerResponse>()

function inform(
  response: ServerResponse,
  status: number,
  message: string,
  rawHeaders: readonly string[],
): void {
  // HTTP/1.0 knows no interim responses.
  if (response.req.httpVersion === '1.0' || response.headersSent || !response.socket) return
  informed.add(response)
  response.socket.write(wireHead(status, message, endToEnd(rawHeaders)), 'latin1')
}

function wireHead(status: number, message: string, headers: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${message}\r\n`
  for (let n = 0; n < headers.length; n += 2) text += `${headers[n]}: ${headers[n + 1]}\r\n`
  return `${text}\r\n`
}

function deliver(
  exchange: Exchange,
  gateway: Gateway,
  { incoming, outgoing }: Extract<AttemptResult, { kind: 'response' }>,
): Promise<ExchangeEnd> {
  const { request, response } = exchange
  return new Promise((resolve) => {
    let end: ExchangeEnd = { outcome: 'finished', backend: undefined, error: undefined }
    const breakOff = (outcome: Outcome, error: Error): void => {
      if (end.outcome === 'finished') end = { ...end, outcome, error }
      outgoing.destroy()
      // A reset, so that a body that ends with the connection is not taken for a whole one.
      if (response.socket) response.socket.resetAndDestroy()
      else response.destroy()
    }
    response.once('close', () => {
      if (!response.writableFinished) breakOff('client-abort', new Error('The client is gone'))
      resolve(end)
    })
    incoming.on('error', (error) => breakOff('backend-abort', error))
    incoming.once('close', () => {
      if (!incoming.complete) breakOff('backend-abort', new Error('The response ended too early'))
    })
    const stalled = (): void => {
      const taken = response.writableEnded || response.writableNeedDrain ? 'taken' : 'sent'
      const what = `Nothing of the response's body was ${taken} within ${gateway.idleTimeout} ms`
      breakOff(taken === 'taken' ? 'client-abort' : 'backend-abort', new MaglevError('TIMED_OUT', what))
    }
    outgoing.setTimeout(gateway.idleTimeout, stalled)
    response.setTimeout(gateway.idleTimeout, () => {
      // A client that waits is in order.
      if (response.writableEnded || response.writableNeedDrain) stalled()
    })
    if (response.destroyed) return breakOff('client-abort', new Error('The client is gone'))
    if (!request.complete || gateway.closing()) response.shouldKeepAlive = false
    const headers = responseHeaders(exchange, gateway, incoming)
    try {
      response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage ?? '', headers)
    } catch (error) {
      end = { ...end, outcome: 'unreachable', error: asError(error) }
      outgoing.destroy()
      answer(exchange, 502)
      return
    }
    incoming.once('end', () => {
      if (!incoming.complete) return breakOff('backend-abort', new Error('The response ended too early'))
      const trailers = endToEndTrailers(incoming.rawTrailers)
      if (trailers.length > 0) response.addTrailers(trailers)
      response.end()
      // The backend has answered without waiting for the whole request; nobody will read the rest.
      if (!outgoing.writableFinished) outgoing.destroy()
    })
    incoming.pipe(response, { end: false })
    // A head whose body is not there yet is not held back for it.
    setImmediate(() => {
      if (!response.writableEnded && !response.destroyed) response.flushHeaders()
    })
  })
}

function responseHeaders({ cookies }: Exchange, { via }: Gateway, incoming: IncomingMessage): string[] {
  const headers = endToEnd(incoming.rawHeaders)
  for (const cookie of cookies) headers.push('Set-Cookie', cookie)
  if (via !== undefined) headers.push('Via', `${incoming.httpVersion} ${via}`)
  return headers
}

async function tunnel(
  exchange: Exchange,
  gateway: Gateway,
  { incoming, socket, head }: Extract<AttemptResult, { kind: 'upgrade' }>,
): Promise<ExchangeEnd> {
  socket.on('error', () => {})
  const asked = exchange.tunnel
  if (asked === undefined || !listed(incoming.rawHeaders, 'upgrade').includes('websocket')) {
    socket.destroy()
    const error = new MaglevError(
      'BACKEND_UNREACHABLE',
      'The backend switched to a protocol that nobody asked for',
    )
    answer(exchange, 502)
    return { outcome: 'unreachable', backend: undefined, error }
  }
  const { client } = asked
  exchange.response.detachSocket(client)
  const headers = [
    ...responseHeaders(exchange, gateway, incoming),
    'Connection',
    'Upgrade',
    'Upgrade',
    'websocket',
  ]
  client.write(wireHead(101, incoming.statusMessage ?? '', headers), 'latin1')
  if (head.length > 0) client.write(head)
  if (asked.head.length > 0) socket.write(asked.head)
  const over = gateway.onTunnel(client, socket)
  const { outcome, error } = await splice(client, socket, gateway.idleTimeout)
  over()
  const backend = undefined
  if (outcome === 'finished' || outcome === 'idle') return { outcome: 'finished', backend, error }
  return { outcome: outcome === 'client-reset' ? 'client-abort' : 'backend-abort', backend, error }
}

function failedOutcome(error: Error): keyof typeof statusOf {
  return isMaglevError(error) && error.code === 'TIMED_OUT' ? 'timed-out' : 'unreachable'
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
