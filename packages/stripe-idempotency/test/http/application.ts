import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import type { HandlerContext, IdempotencyStore } from '@loadbearing/stripe-idempotency'

/** What the application answers, for each framework to say in its own way. */
export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Buffer | AsyncIterable<Buffer> | null
}

/** The application that every adapter is held against. */
export interface Application {
  /** How often a handler began, by path. */
  readonly executions: Map<string, number>
  /** What a handler was given. */
  readonly bodies: Buffer[]
  /** A handler that waits, and what lets it go on. */
  readonly begun: PromiseWithResolvers<void>
  readonly gate: PromiseWithResolvers<void>
  /** @throws where the path says so */
  handle(path: string, body: Buffer, execution: HandlerContext | undefined): Promise<Reply>
}

export interface Served extends AsyncDisposable {
  readonly url: string
  /** Once the server knows that all its clients have gone. */
  deserted(): Promise<unknown>
}

/** What middleware in front of the adapter sets on every response to a page of another origin. */
export function frontHeaders(origin: string | null | undefined): Readonly<Record<string, string>> {
  if (origin === undefined || origin === null || origin === '') return {}
  return { 'access-control-allow-origin': origin, 'strict-transport-security': 'max-age=1' }
}

/** Starts the application under a framework, with authentication, rate limit, CORS and compression in front of the adapter. */
export type Serve = (application: Application, options: ServeOptions) => Promise<Served>

export interface ServeOptions {
  readonly store: IdempotencyStore
  readonly mode: 'stripe-v1' | 'stripe-v2' | 'ietf'
  readonly maxBodyBytes: number
  readonly maxResponseBytes: number
  readonly wait?: string
}

export const png: Buffer = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(5000)])
export const megabytes: readonly Buffer[] = Array.from({ length: 48 }, () => randomBytes(65_536))
export const gzipped: Buffer = gzipSync('compressed by the handler itself')

export function application(): Application {
  const executions = new Map<string, number>()
  const bodies: Buffer[] = []
  const begun = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const wait = async (): Promise<void> => {
    begun.resolve()
    await gate.promise
  }
  return {
    executions,
    bodies,
    begun,
    gate,
    async handle(path, body, execution) {
      if (path === '/invalid' && body.includes('"bad"')) {
        execution?.notExecuted()
        return { status: 400, headers: { 'content-type': 'application/json' }, body: '{"error":"bad"}' }
      }
      const count = (executions.get(path) ?? 0) + 1
      executions.set(path, count)
      bodies.push(body)
      switch (path) {
        case '/204':
          return { status: 204, body: null }
        case '/205':
          return { status: 205, body: null }
        case '/304':
          return { status: 304, headers: { etag: '"v1"' }, body: null }
        case '/empty':
          return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: '' }
        case '/false':
          return { status: 200, headers: { 'content-type': 'application/json' }, body: 'false' }
        case '/png':
          return { status: 200, headers: { 'content-type': 'image/png' }, body: png }
        case '/gzip':
          return {
            status: 200,
            headers: { 'content-type': 'text/plain; charset=utf-8', 'content-encoding': 'gzip' },
            body: gzipped,
          }
        case '/large':
        case '/large-tombstone':
          return {
            status: 200,
            headers: { 'content-type': 'application/octet-stream' },
            body: (async function* () {
              yield* megabytes
            })(),
          }
        case '/sized':
          return {
            status: 200,
            headers: {
              'content-type': 'application/octet-stream',
              'content-length': String(megabytes.length * 65_536),
            },
            body: Readable.from(megabytes),
          }
        case '/text':
          return {
            status: 200,
            headers: { 'content-type': 'text/plain; charset=utf-8' },
            body: 'compressible '.repeat(1000),
          }
        case '/events':
          return {
            status: 200,
            headers: { 'content-type': 'text/event-stream' },
            body: (async function* () {
              yield Buffer.from(`data: ${count}\n\n`)
              await wait()
              yield Buffer.from('data: last\n\n')
            })(),
          }
        case '/throw':
          throw new Error('the handler fails')
        case '/slow':
          await wait()
          break
        case '/502':
          if (count === 1)
            return { status: 502, headers: { 'content-type': 'application/json' }, body: '{"failed":true}' }
      }
      return {
        status: 201,
        headers: {
          'content-type': 'application/json',
          location: `/charges/${count}`,
          'set-cookie': `session=${count}`,
          'x-not-kept': 'of this exchange',
          // As where the answer of a server behind is passed on, which has seen another key of ours.
          ...(execution && { 'idempotent-replayed': 'true' }),
        },
        body: JSON.stringify({ count, path }),
      }
    },
  }
}
