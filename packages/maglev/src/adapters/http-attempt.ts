import { type Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { MaglevError } from '../errors.ts'
import type { Address } from '../pool/address.ts'

/** One request on its way to one backend. */
export interface AttemptOptions {
  readonly address: Address
  readonly method: string
  readonly path: string
  /** Names and values by turns, framing and Host included. */
  readonly headers: readonly string[]
  /** Body and trailers; undefined where there is none. */
  readonly body: IncomingMessage | undefined
  /** Kept-alive connections, or false for a new one that is used once. */
  readonly agent: Agent | false
  readonly connectTimeout: number
  /** Milliseconds without a byte of the request's body. */
  readonly idleTimeout: number
  /** Milliseconds from the end of the request to the head of the response. */
  readonly responseTimeout: number
  readonly signal: AbortSignal
  /** An interim response other than 101. */
  onInformation(status: number, message: string, rawHeaders: readonly string[]): void
  /** Called once with each trailer section before the request ends. */
  trailersOf(body: IncomingMessage): [string, string][]
}

export type AttemptResult =
  | { readonly kind: 'response'; readonly outgoing: ClientRequest; readonly incoming: IncomingMessage }
  | {
      readonly kind: 'upgrade'
      readonly incoming: IncomingMessage
      readonly socket: Socket
      readonly head: Buffer
    }
  | {
      readonly kind: 'failed'
      readonly error: Error
      /** Whether the backend may have seen something of the request. */
      readonly sent: boolean
      /** The connection had served another request before and may have been closed by then. */
      readonly stale: boolean
    }

/** Sends a request and resolves with the head of the response or the reason why there is none. Never rejects. */
export function attempt(options: AttemptOptions): Promise<AttemptResult> {
  const { address, method, path, body, agent, signal } = options
  return new Promise((resolve) => {
    const outgoing = httpRequest({
      ...address,
      method,
      path,
      headers: options.headers,
      agent,
      setHost: false,
      maxHeaderSize: headMax,
    })
    outgoing.maxHeadersCount = 0
    let sent = false
    let settled = false
    let timer: NodeJS.Timeout | undefined
    const limit = (ms: number, what: string): void => {
      clearTimeout(timer)
      timer = setTimeout(() => outgoing.destroy(new MaglevError('TIMED_OUT', `${what} within ${ms} ms`)), ms)
    }
    const onAbort = (): void => void outgoing.destroy(new Error('The client is gone'))
    const settle = (result: AttemptResult): void => {
      settled = true
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      outgoing.setTimeout(0)
      resolve(result)
    }
    const fail = (cause: Error): void => {
      body?.unpipe(outgoing)
      if (settled) return
      const stale = outgoing.reusedSocket && !(cause instanceof MaglevError)
      settle({ kind: 'failed', error: unreachable(address, cause), sent, stale })
    }
    const send = (): void => {
      clearTimeout(timer)
      sent = true
      if (body === undefined) outgoing.end()
      else sendBody(outgoing, body, options)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    // Also after the head, when it is the reader of the response who acts on it.
    outgoing.on('error', fail)
    outgoing.once('close', () => {
      if (!settled) fail(new Error('closed without a response'))
    })
    outgoing.once('finish', () => {
      if (!settled) limit(options.responseTimeout, `No response from ${address.host}:${address.port}`)
    })
    outgoing.once('socket', (socket) => {
      if (!socket.connecting) return send()
      limit(options.connectTimeout, `No connection to ${address.host}:${address.port}`)
      socket.once('connect', send)
    })
    outgoing.on('continue', () => options.onInformation(100, 'Continue', []))
    outgoing.on('information', ({ statusCode, statusMessage, rawHeaders }) => {
      if (statusCode !== 100) options.onInformation(statusCode, statusMessage, rawHeaders)
    })
    outgoing.once('response', (incoming) => settle({ kind: 'response', outgoing, incoming }))
    outgoing.once('upgrade', (incoming, socket, head) => settle({ kind: 'upgrade', incoming, socket, head }))
    if (signal.aborted) onAbort()
  })
}

/** Longest response head taken from a backend. */
const headMax = 65_536

function sendBody(outgoing: ClientRequest, body: IncomingMessage, options: AttemptOptions): void {
  const { idleTimeout } = options
  outgoing.setTimeout(idleTimeout, () => {
    if (outgoing.writableEnded) return
    if (!outgoing.writableNeedDrain) {
      // It is the client that sends nothing: its connection ends, and the attempt with it.
      body.destroy()
      return
    }
    outgoing.destroy(
      new MaglevError('TIMED_OUT', `The request's body was not taken within ${idleTimeout} ms`),
    )
  })
  const finish = (): void => {
    const trailers = options.trailersOf(body)
    if (trailers.length > 0) outgoing.addTrailers(trailers)
    outgoing.end()
  }
  if (body.readableEnded) return finish()
  body.once('end', finish)
  outgoing.once('unpipe', () => body.off('end', finish))
  body.pipe(outgoing, { end: false })
}

function unreachable({ host, port }: Address, error: Error): Error {
  if (error instanceof MaglevError) return error
  return new MaglevError('BACKEND_UNREACHABLE', `No response from ${host}:${port}: ${error.message}`, {
    cause: error,
  })
}
