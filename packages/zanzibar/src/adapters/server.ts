import { randomUUID } from 'node:crypto'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { ZanzibarEvent } from '../events.ts'
import { ZanzibarError } from '../index.ts'
import type { ClosureIndexOptions } from '../leopard/closure-index.ts'
import { type Limits, openFgaLimits } from '../limits.ts'
import type { Semantics } from '../model/type-system.ts'
import type { TupleStore } from '../store/tuple-store.ts'
import { authZenApi } from '../wire/authzen-api.ts'
import { deadlineExceeded } from '../wire/deadline.ts'
import { openFgaApi } from '../wire/openfga-api.ts'
import { type Authenticator, bearerToken } from './server/authentication.ts'
import { readBody } from './server/body.ts'
import { Reply } from './server/reply.ts'
import { type Apis, type Exchange, type Match, methodNotAllowed, routeOf } from './server/routes.ts'

export { type Authenticator, presharedKeys } from './server/authentication.ts'

/** Options of {@link zanzibarServer}. */
export interface ServerOptions {
  readonly store: TupleStore
  /** What is not given is as in OpenFGA. */
  readonly limits?: Partial<Limits>
  /** Default: `openfga-v1`. */
  readonly semantics?: Semantics
  /** As in `openFgaApi`. Default: false. */
  readonly closureIndex?: boolean | ClosureIndexOptions
  /** Whose requests are answered: `presharedKeys`, or `oidc` of `./oidc`. Default: everybody's. */
  readonly authenticator?: Authenticator
  /** Where clients reach the server, for AuthZEN's discovery. Default: where it listens. */
  readonly publicUrl?: string
  /** Is told what went wrong where a client is told `internal_error` only. */
  readonly onError?: (error: unknown) => void
  /** As in `openFgaApi`. */
  readonly onEvent?: (event: ZanzibarEvent) => void
}

/** Where a server listens. */
export interface Address {
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** Default: 8080; 0 for any that is free. */
  readonly port?: number
}

/** A server of OpenFGA's HTTP API. Disposal waits for the requests at work, for {@link disposalGrace} at most. */
export interface ZanzibarServer extends AsyncDisposable {
  /** For a server of one's own. */
  readonly listener: RequestListener
  /** Starts to listen, and gives the URL. */
  listen(address?: Address): Promise<string>
}

/** Milliseconds. */
const disposalGrace = 10_000
const headersTimeout = 10_000
// Above that of the load balancers in front, so that it is they who give a connection up.
const keepAliveTimeout = 65_000
const bodyTimeout = 30_000

/** Speaks OpenFGA's HTTP API (`openfga/api:openfga/v1/openfga_service.proto`) and AuthZEN's over `node:http`. */
export function zanzibarServer({
  store,
  limits: given,
  semantics,
  closureIndex = false,
  authenticator,
  publicUrl,
  onError,
  onEvent,
}: ServerOptions): ZanzibarServer {
  const limits: Limits = { ...openFgaLimits, ...given }
  const openFga = openFgaApi({
    store,
    limits,
    closureIndex,
    ...(semantics && { semantics }),
    ...(onEvent && { onEvent }),
  })
  let url = ''
  const apis = { openFga, authZen: authZenApi(openFga) }
  const setting: Setting = { apis, limits, authenticator, onError, publicUrl: () => publicUrl ?? url }
  const listener: RequestListener = (request, response) => void handle(setting, request, response)
  let server: Server | undefined
  return {
    listener,
    listen: async ({ host = '127.0.0.1', port = 8080 } = {}) => {
      if (server !== undefined) throw new ZanzibarError('invalid_option', 'the server listens already')
      server = createServer(
        { headersTimeout, keepAliveTimeout, requestTimeout: bodyTimeout, connectionsCheckingInterval: 5000 },
        listener,
      )
      url = await listening(server, host, port)
      return url
    },
    [Symbol.asyncDispose]: async () => {
      if (server !== undefined) await closed(server)
    },
  }
}

interface Setting {
  readonly apis: Apis
  readonly limits: Limits
  readonly authenticator: Authenticator | undefined
  readonly onError: ((error: unknown) => void) | undefined
  readonly publicUrl: () => string
}

async function handle(setting: Setting, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const reply = new Reply(response, randomUUID(), setting.onError)
  const stop = new AbortController()
  let isLate = false
  const deadline = setTimeout(() => {
    isLate = true
    stop.abort(deadlineExceeded())
  }, setting.limits.requestTimeout)
  response.once('close', () => {
    if (!response.writableFinished) stop.abort()
  })
  try {
    await respond({ setting, request, reply, signal: stop.signal })
  } catch (error) {
    if (isLate) {
      reply.error(new ZanzibarError('deadline_exceeded', 'Request Deadline Exceeded', { cause: error }))
    } else if (!stop.signal.aborted) reply.error(error)
  } finally {
    clearTimeout(deadline)
  }
}

async function respond({ setting, request, reply, signal }: Omit<Arrived, 'match' | 'query'>): Promise<void> {
  const [path, query] = parts(request.url ?? '/')
  if (path === '/healthz') {
    if (request.method !== 'GET') throw methodNotAllowed()
    reply.json(200, { status: 'SERVING' })
    return
  }
  const match = routeOf(request.method ?? '', path)
  const { route, storeId } = match
  reply.streams = route.stream !== undefined
  reply.store(storeId)
  if (setting.authenticator !== undefined)
    await setting.authenticator.authenticate(bearerToken(request.headers.authorization))
  const exchange = await exchangeOf({ setting, request, reply, match, query, signal })
  if (route.stream !== undefined) await reply.lines(route.stream(setting.apis, exchange))
  else reply.json(route.status, await route.answer(setting.apis, exchange))
}

interface Arrived {
  readonly setting: Setting
  readonly request: IncomingMessage
  readonly reply: Reply
  readonly match: Match
  readonly query: string
  readonly signal: AbortSignal
}

async function exchangeOf({ setting, request, reply, match, query, signal }: Arrived): Promise<Exchange> {
  const { headers } = request
  return {
    storeId: match.storeId,
    id: match.id,
    get query() {
      if (query.includes(';'))
        throw new ZanzibarError('validation_error', 'invalid semicolon separator in query')
      return new URLSearchParams(query)
    },
    body: match.route.hasBody ? await readBody(request, setting.limits.maxBodyBytes) : new Uint8Array(),
    modelId: text(headers['openfga-authorization-model-id']),
    baseUrl: setting.publicUrl(),
    call: {
      signal,
      atLeast: text(headers['zanzibar-at-least']) || undefined,
      onModel: (modelId) => reply.model(modelId),
      onToken: (token) => reply.token(token),
    },
  }
}

function text(header: string | string[] | undefined): string {
  return typeof header === 'string' ? header.trim() : ''
}

/** Path and query of a URL, which a proxy may be asked for with scheme and host. */
function parts(target: string): [string, string] {
  const url = target.startsWith('/') ? target : target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*/i, '')
  if (!url.startsWith('/')) throw new ZanzibarError('validation_error', 'Bad Request')
  const mark = url.indexOf('?')
  return mark === -1 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)]
}

function listening(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new ZanzibarError('invalid_option', `cannot listen at ${host}:${port}: ${cause.message}`, { cause }),
      )
    })
    server.listen(port, host, () => {
      const address = server.address()
      const bound = address !== null && typeof address === 'object' ? address.port : port
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${bound}`)
    })
  })
}

async function closed(server: Server): Promise<void> {
  if (!server.listening) return
  await new Promise<void>((resolve) => {
    const impatient = setTimeout(() => server.closeAllConnections(), disposalGrace)
    server.close(() => {
      clearTimeout(impatient)
      resolve()
    })
    server.closeIdleConnections()
  })
}
