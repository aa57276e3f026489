import { type ClientRequest, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { ConnectionOptions } from 'node:tls'
import { MaglevError } from '../errors.ts'
import { addressOf } from './address.ts'
import type { Prober } from './probe.ts'

/** A health page is small; what is larger is something else. */
const bodyBytesMax = 65_536

export interface HttpProbeOptions {
  /** Path and query. Default `/`. */
  readonly path?: string
  /** Host header. Default: the backend's address. */
  readonly host?: string
  /** Port to ask instead of the backend's own. */
  readonly port?: number
  /** Speak TLS; an object is passed on to `node:tls`. Default false. Certificates are verified unless it says otherwise. */
  readonly tls?: boolean | ConnectionOptions
  /** Statuses that pass. Default: 200 to 299. Redirects are not followed. */
  readonly statuses?: readonly number[]
}

/**
 * A prober that asks for a page over HTTP/1.1, on a connection of its own. The whole response counts: it must end within the
 * timeout and its body hold at most 64 KiB. A header `x-envoy-degraded` makes a response that passes `degraded`.
 */
export function httpProbe(options: HttpProbeOptions): Prober {
  const { path = '/', tls = false, statuses } = options
  const start = tls === false ? requestHttp : requestHttps
  return async (backend, signal) => {
    const { host, port } = addressOf(backend)
    const target: RequestOptions & ConnectionOptions = {
      ...(typeof tls === 'object' ? tls : {}),
      host,
      port: options.port ?? port,
      path,
      method: 'GET',
      agent: false,
      signal,
      headers: {
        'user-agent': 'loadbearing-maglev',
        connection: 'close',
        ...(options.host === undefined ? {} : { host: options.host }),
      },
    }
    const { status, degraded } = await answer(start(target))
    const passes = statuses === undefined ? status >= 200 && status <= 299 : statuses.includes(status)
    if (!passes) throw new MaglevError('PROBE_FAILED', `${host}:${port}${path} answered status ${status}`)
    return degraded ? 'degraded' : 'healthy'
  }
}

function answer(request: ClientRequest): Promise<{ status: number; degraded: boolean }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; degraded: boolean }>()
  // Resolved or rejected only once the socket is closed, so that whoever waits for the probe leaves nothing open.
  let failure: unknown
  let outcome: { status: number; degraded: boolean } | undefined
  const fail = (error: unknown): void => {
    failure ??= error
    request.destroy()
  }
  request.on('error', fail)
  request.on('upgrade', (_, socket) => {
    fail(new MaglevError('PROBE_FAILED', 'The backend changed protocols unasked'))
    socket.destroy()
  })
  request.on('response', (response) => {
    let bytes = 0
    response.on('error', fail)
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bodyBytesMax) {
        fail(new MaglevError('PROBE_FAILED', `The response has more than ${bodyBytesMax} bytes`))
      }
    })
    response.on('end', () => {
      outcome = {
        status: response.statusCode ?? 0,
        degraded: response.headers['x-envoy-degraded'] !== undefined,
      }
      request.destroy()
    })
  })
  request.on('close', () => {
    if (outcome !== undefined && failure === undefined) resolve(outcome)
    else reject(failure ?? new MaglevError('PROBE_FAILED', 'The backend closed the connection'))
  })
  request.end()
  return promise
}
