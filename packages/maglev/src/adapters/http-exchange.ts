import { type Agent, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ConfiguredBackend } from '../backend.ts'
import { isMaglevError, MaglevError } from '../errors.ts'
import type { Key } from '../key-hash.ts'
import { type Address, addressOf } from '../pool/address.ts'
import type { BackendLease, Balancer } from './balancer.ts'
import { type AttemptResult, attempt, type FailedAttempt, isLast } from './http-attempt.ts'
import type { BackendConnections } from './http-connections.ts'
import type { RequestHead } from './http-head.ts'
import { endToEnd, endToEndTrailers, filterFields, listed, valuesOf } from './http-hop.ts'
import { splice } from './splice.ts'

/** What carries requests: the parts of a proxy that all its exchanges share. */
export interface Gateway {
  readonly balancer: Balancer
  readonly connections: BackendConnections
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
  readonly client: ClientSide
  readonly head: RequestHead
  /** Fields for the backend, Host where the client named one, and those that frame the message. */
  readonly headers: readonly string[]
  readonly key: Key
  /** Values of Set-Cookie to add to the response. */
  readonly cookies: readonly string[]
  /** A WebSocket handshake: the connection and what came after the request. */
  readonly tunnel: { readonly client: Socket; readonly head: Buffer } | undefined
}

/** What the client does while its request is carried. */
export interface ClientSide {
  /** It has left, or was cut off. */
  gone: boolean
  /** What it is told of a body that turned out to be none. */
  fault: { readonly status: number; readonly error: Error } | undefined
  /** Ends what is under way. Never assigned a literal: V8 takes those for methods and allocates them in the old generation. */
  giveUp: (() => void) | undefined
}

export type Outcome =
  | 'finished'
  | 'refused'
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

type Answered = Exclude<AttemptResult, FailedAttempt>
type Unanswered = ExchangeEnd & { readonly outcome: keyof typeof statusOf | 'refused' | 'client-abort' }

/** RFC 9110, section 9.2.2. */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/** Carries a request to the owner of its key and the response back. Never rejects; the response is over on return. */
export async function carry(exchange: Exchange, gateway: Gateway): Promise<ExchangeEnd> {
  const { request, response, head, client } = exchange
  response.on('close', () => {
    client.gone ||= !response.writableFinished
    client.giveUp?.()
  })
  client.gone ||= response.destroyed
  const reached = await reach(exchange, gateway)
  if ('outcome' in reached) {
    // What is left of the request's body is not read.
    if (head.body !== 'none' && !request.complete) response.shouldKeepAlive = false
    if (reached.outcome === 'refused') answer(response, client.fault?.status ?? 400)
    else if (reached.outcome !== 'client-abort') answer(response, statusOf[reached.outcome])
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
  return { outcome: end.outcome, backend: lease.id, error: end.error }
}

const statusOf: Readonly<Record<'no-backend' | 'unreachable' | 'timed-out', number>> = {
  'no-backend': 503,
  unreachable: 502,
  'timed-out': 504,
}

/** Answers without a backend: the status and its name. */
export function answer(response: ServerResponse, status: number): void {
  const body = `${status} ${STATUS_CODES[status]}\n`
  response.writeHead(status, { 'Content-Type': 'text/plain', 'Content-Length': body.length })
  response.end(body)
}

/** Asks the owner of the key, then the next one, as long as nothing happened that asking again could repeat. */
async function reach(
  exchange: Exchange,
  gateway: Gateway,
): Promise<{ lease: BackendLease; result: Answered } | Unanswered> {
  const { key, client, tunnel: upgrade } = exchange
  const tried = new Set<string>()
  let last: { backend: string; error: Error } | undefined
  for (;;) {
    if (client.gone) return { outcome: 'client-abort', backend: last?.backend, error: undefined }
    if (client.fault) return { outcome: 'refused', backend: last?.backend, error: client.fault.error }
    let lease: BackendLease
    try {
      lease = gateway.balancer.acquire(key, { exclude: tried })
    } catch (error) {
      if (last) return { outcome: failedOutcome(last.error), ...last }
      return { outcome: 'no-backend', backend: undefined, error: asError(error) }
    }
    let result = await ask(exchange, gateway, lease, upgrade ? false : gateway.connections)
    // A kept-alive connection that turns out to be dead is not its backend's fault.
    if (result.kind === 'failed' && result.stale && !isOver(client) && repeatable(exchange, result)) {
      result = await ask(exchange, gateway, lease, false)
    }
    if (result.kind !== 'failed') return { lease, result }
    const { error } = result
    if (!isOver(client)) lease.report('gateway-failure')
    lease[Symbol.dispose]()
    last = { backend: lease.id, error }
    if (isOver(client)) continue
    if (tried.size === gateway.retries || !repeatable(exchange, result)) {
      return { outcome: failedOutcome(error), ...last }
    }
    gateway.onRetry({ backend: lease.id, attempt: tried.size, error })
    tried.add(lease.id)
  }
}

/** There is nobody to answer any more, or nothing to answer but that the request was wrong. */
function isOver({ gone, fault }: ClientSide): boolean {
  return gone || fault !== undefined
}

/** One backend, once. */
async function ask(
  { request, response, head, headers, client }: Exchange,
  { connectTimeout, idleTimeout, timeout }: Gateway,
  { id, backend }: BackendLease,
  agent: Agent | false,
): Promise<AttemptResult> {
  try {
    return await attempt({
      address: knownAddress(backend),
      method: head.method,
      path: head.path,
      headers: head.host === undefined ? ['Host', id, ...headers] : headers,
      body: head.body === 'none' ? undefined : request,
      agent,
      connectTimeout,
      idleTimeout,
      responseTimeout: timeout,
      client,
      onInformation: (status, message, rawHeaders) => inform(response, status, message, rawHeaders),
    })
  } catch (error) {
    // No address, or a field that node:http refuses to write.
    return { kind: 'failed', error: asError(error), sent: false, stale: false }
  }
}

const addresses = new WeakMap<ConfiguredBackend, Address>()

function knownAddress(backend: ConfiguredBackend): Address {
  const known = addresses.get(backend)
  if (known !== undefined) return known
  const address = addressOf(backend)
  addresses.set(backend, address)
  return address
}

function repeatable({ request, response, head }: Exchange, failed: FailedAttempt): boolean {
  if (informed.has(response)) return false
  if (!failed.sent) return true
  const late = isMaglevError(failed.error) && failed.error.code === 'TIMED_OUT'
  return !late && idempotent.has(head.method) && !request.readableDidRead
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
): Promise<Omit<ExchangeEnd, 'backend'>> {
  const { request, response, client } = exchange
  return new Promise((resolve) => {
    let outcome: Outcome = 'finished'
    let error: Error | undefined
    const breakOff = (why: Outcome, cause: Error): void => {
      if (outcome !== 'finished') return
      outcome = why
      error = cause
      outgoing.destroy()
      // A reset, so that a body that ends with the connection is not taken for a whole one.
      if (response.socket) response.socket.resetAndDestroy()
      else response.destroy()
    }
    // Also where the client has got everything.
    const onClose = (): void => {
      if (client.gone) breakOff('client-abort', new Error('The client is gone'))
      resolve({ outcome, error })
    }
    client.giveUp = onClose
    if (client.gone) return onClose()
    incoming.on('error', (cause) => breakOff('backend-abort', cause))
    if (!request.complete || gateway.closing()) response.shouldKeepAlive = false
    try {
      response.writeHead(
        incoming.statusCode ?? 502,
        incoming.statusMessage ?? '',
        responseHeaders(exchange, gateway, incoming),
      )
    } catch (cause) {
      outcome = 'unreachable'
      error = asError(cause)
      outgoing.destroy()
      answer(response, 502)
      return
    }
    incoming.on('data', (chunk: Buffer) => {
      if (isLast(incoming)) response.end(chunk)
      else if (!response.write(chunk)) incoming.pause()
    })
    response.on('drain', () => incoming.resume())
    incoming.on('end', () => {
      if (!incoming.complete) return breakOff('backend-abort', new Error('The response ended too early'))
      if (!response.writableEnded) {
        const trailers = endToEndTrailers(incoming.rawTrailers)
        if (trailers.length > 0) response.addTrailers(trailers)
        response.end()
      }
      // The backend has answered without waiting for the whole request; nobody will read the rest.
      if (!outgoing.writableFinished) outgoing.destroy()
    })
    incoming.on('close', () => {
      if (!incoming.complete) breakOff('backend-abort', new Error('The response ended too early'))
    })
    const stalled = (): void => {
      const taken = response.writableEnded || response.writableNeedDrain ? 'taken' : 'sent'
      const what = `Nothing of the response's body was ${taken} within ${gateway.idleTimeout} ms`
      breakOff(taken === 'taken' ? 'client-abort' : 'backend-abort', new MaglevError('TIMED_OUT', what))
    }
    // After what has come together with the head, which most often is all.
    process.nextTick(() => {
      if (response.writableFinished || response.destroyed) return
      if (response.writableEnded && response.writableLength === 0) return
      // A head whose body is not there yet is not held back for it.
      if (!response.writableEnded) response.flushHeaders()
      outgoing.setTimeout(gateway.idleTimeout, stalled)
      response.setTimeout(gateway.idleTimeout, () => {
        // A client that waits is in order.
        if (response.writableEnded || response.writableNeedDrain) stalled()
      })
    })
  })
}

function responseHeaders(
  { request, cookies }: Exchange,
  { via, connections }: Gateway,
  incoming: IncomingMessage,
): string[] {
  const { rawHeaders } = incoming
  const [keepAlive] = valuesOf(rawHeaders, 'keep-alive')
  if (keepAlive !== undefined) connections.heed(incoming, keepAlive)
  let headers = endToEnd(rawHeaders)
  if (valuesOf(headers, 'trailer').length > 0 && !takesTrailers(request, incoming)) {
    headers = filterFields(headers, (name) => name !== 'trailer')
  }
  for (const cookie of cookies) headers.push('Set-Cookie', cookie)
  if (via !== undefined) headers.push('Via', `${incoming.httpVersion} ${via}`)
  return headers
}

/** Whether the response goes out in chunks; where it does not, trailers cannot follow and node:http refuses to announce any. */
function takesTrailers(
  { httpVersion, method }: IncomingMessage,
  { statusCode, rawHeaders }: IncomingMessage,
): boolean {
  const hasBody = method !== 'HEAD' && statusCode !== 204 && statusCode !== 304
  return hasBody && httpVersion !== '1.0' && valuesOf(rawHeaders, 'content-length').length === 0
}

async function tunnel(
  exchange: Exchange,
  gateway: Gateway,
  { incoming, socket, head }: Extract<AttemptResult, { kind: 'upgrade' }>,
): Promise<Omit<ExchangeEnd, 'backend'>> {
  socket.on('error', () => {})
  const asked = exchange.tunnel
  if (asked === undefined || !listed(incoming.rawHeaders, 'upgrade').includes('websocket')) {
    socket.destroy()
    const error = new MaglevError(
      'BACKEND_UNREACHABLE',
      'The backend switched to a protocol that nobody asked for',
    )
    answer(exchange.response, 502)
    return { outcome: 'unreachable', error }
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
  if (outcome === 'finished' || outcome === 'idle') return { outcome: 'finished', error }
  return { outcome: outcome === 'client-reset' ? 'client-abort' : 'backend-abort', error }
}

function failedOutcome(error: Error): keyof typeof statusOf {
  return isMaglevError(error) && error.code === 'TIMED_OUT' ? 'timed-out' : 'unreachable'
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
