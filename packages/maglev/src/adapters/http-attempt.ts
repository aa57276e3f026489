import { type Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { MaglevError } from '../errors.ts'
import type { Address } from '../pool/address.ts'
import { endToEndTrailers } from './http-hop.ts'

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
  /** Where the attempt leaves what ends it; undefined again once there is a result. */
  readonly client: { giveUp: (() => void) | undefined }
  /** An interim response other than 101. */
  onInformation(status: number, message: string, rawHeaders: readonly string[]): void
}

export type AttemptResult =
  | { readonly kind: 'response'; readonly outgoing: ClientRequest; readonly incoming: IncomingMessage }
  | {
      readonly kind: 'upgrade'
      readonly incoming: IncomingMessage
      readonly socket: Socket
      readonly head: Buffer
    }
  | FailedAttempt

export interface FailedAttempt {
  readonly kind: 'failed'
  readonly error: Error
  /** Whether the backend may have seen something of the request. */
  readonly sent: boolean
  /** The connection had served another request before and may have been closed by then. */
  readonly stale: boolean
}

/** Longest response head taken from a backend. */
const headMax = 65_536

/**
 * Sends a request and resolves with the head of the response or the reason why there is none.
 *
 * @throws what node:http says of a field that it refuses to write
 */
export function attempt(options: AttemptOptions): Promise<AttemptResult> {
  const { address, method, path, headers, body, agent, client } = options
  const { host, port } = address
  return new Promise((resolve) => {
    const outgoing = httpRequest({ host, port, method, path, headers, agent, maxHeaderSize: headMax })
    outgoing.maxHeadersCount = 0
    let sent = false
    let settled = false
    let timer: NodeJS.Timeout | undefined
    let stopBody: (() => void) | undefined
    const limit = (ms: number, what: string): void => {
      clearTimeout(timer)
      timer = setTimeout(() => outgoing.destroy(new MaglevError('TIMED_OUT', `${what} within ${ms} ms`)), ms)
    }
    const settle = (result: AttemptResult): void => {
      settled = true
      clearTimeout(timer)
      client.giveUp = undefined
      if (body !== undefined) outgoing.setTimeout(0)
      resolve(result)
    }
    const fail = (cause: Error): void => {
      stopBody?.()
      if (settled) return
      const stale = outgoing.reusedSocket && !(cause instanceof MaglevError)
      settle({ kind: 'failed', error: unreachable(address, cause), sent, stale })
    }
    const awaitHead = (): void => {
      if (settled) return
      if (body !== undefined) outgoing.setTimeout(0)
      limit(options.responseTimeout, `No response from ${host}:${port}`)
    }
    const send = (): void => {
      clearTimeout(timer)
      sent = true
      if (body === undefined) {
        outgoing.end()
        awaitHead()
      } else {
        outgoing.once('finish', awaitHead)
        stopBody = sendBody(outgoing, body, options.idleTimeout)
      }
    }
    const giveUp = (): void => void outgoing.destroy(new Error('The request was given up'))
    client.giveUp = giveUp
    // Also after the head, when it is the reader of the response who acts on it.
    outgoing.on('error', fail)
    outgoing.on('close', () => {
      stopBody?.()
      if (!settled) fail(new Error('closed without a response'))
    })
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) return send()
      limit(options.connectTimeout, `No connection to ${host}:${port}`)
      socket.once('connect', send)
    })
    outgoing.on('information', ({ statusCode, statusMessage, rawHeaders }) => {
      if (statusCode === 100) options.onInformation(100, 'Continue', [])
      else options.onInformation(statusCode, statusMessage, rawHeaders)
    })
    outgoing.on('response', (incoming) => settle({ kind: 'response', outgoing, incoming }))
    outgoing.on('upgrade', (incoming, socket, head) => settle({ kind: 'upgrade', incoming, socket, head }))
  })
}

/** Sends a body as fast as it is taken, and ends the request with it; the function that it returns leaves the rest unread. */
function sendBody(outgoing: ClientRequest, body: IncomingMessage, idleTimeout: number): () => void {
  outgoing.setTimeout(idleTimeout, () => {
    if (!outgoing.writableEnded && !outgoing.writableNeedDrain) {
      // It is the client that sends nothing: its connection ends, and the attempt with it.
      body.destroy()
      return
    }
    outgoing.destroy(
      new MaglevError('TIMED_OUT', `The request's body was not taken within ${idleTimeout} ms`),
    )
  })
  const onData = (chunk: Buffer): void => {
    if (isLast(body)) outgoing.end(chunk)
    else if (!outgoing.write(chunk)) body.pause()
  }
  const onDrain = (): void => void body.resume()
  const onEnd = (): void => {
    if (outgoing.writableEnded) return
    const trailers = endToEndTrailers(body.rawTrailers)
    if (trailers.length > 0) outgoing.addTrailers(trailers)
    outgoing.end()
  }
  if (body.readableEnded) onEnd()
  else {
    outgoing.on('drain', onDrain)
    body.on('data', onData).on('end', onEnd)
  }
  return () => {
    outgoing.off('drain', onDrain)
    body.off('data', onData).off('end', onEnd).pause()
  }
}

/** Whether the chunk just read was the last one of a message without trailers: what ends the message can then go with it. */
export function isLast(message: IncomingMessage): boolean {
  return message.complete && message.readableLength === 0 && message.rawTrailers.length === 0
}

function unreachable({ host, port }: Address, error: Error): Error {
  if (error instanceof MaglevError) return error
  return new MaglevError('BACKEND_UNREACHABLE', `No response from ${host}:${port}: ${error.message}`, {
    cause: error,
  })
}
