import { Buffer } from 'node:buffer'
import type { Engine, Execution, Performed, Settled } from '../engine.ts'
import { isIdempotencyError } from '../errors.ts'
import type { LeftOut } from '../fingerprint/canonical-json.ts'
import { fingerprint } from '../fingerprint/fingerprint.ts'
import { readKey } from '../key/idempotency-key.ts'
import type { Mode, Problem } from '../mode/mode.ts'
import type { OnAbandoned } from '../record/record.ts'
import { decodeResponse, encodeResponse, type StoredResponse, stored } from '../response/stored-response.ts'
import { type HeaderLines, type HttpRequest, type HttpResponse, linesOf } from './message.ts'

/** How requests over HTTP are settled. */
export interface ExchangeSettings {
  readonly mode: Mode
  /** Milliseconds that a duplicate waits for the answer; 0: it is told at once that the key is in use. */
  readonly wait: number
  readonly onAbandoned: OnAbandoned
  readonly maxBodyBytes: number
  /** A larger answer is sent once, and not kept. */
  readonly maxResponseBytes: number
  readonly keptHeaders: ReadonlySet<string>
  readonly leftOut?: LeftOut
}

/** What a handler is told of its request. */
export interface HandlerContext extends Pick<Execution, 'recordId' | 'fence' | 'signal'> {
  /** Says that the answer was given before execution began, as to bad parameters: it is not kept, and the key is as new. */
  notExecuted(): void
}

export type HttpHandler = (context: HandlerContext) => Promise<HttpResponse>

/** What became of a request, for those who count. */
export type ExchangeOutcome = Settled['outcome'] | 'passed' | Problem['kind']

/** An answer, and how it came about. */
export interface Exchanged {
  readonly outcome: ExchangeOutcome
  readonly response: HttpResponse
}

/** Answers a request: by its handler the first time, from what was kept from then on. */
export class Exchange {
  readonly #engine: Engine
  readonly #settings: ExchangeSettings

  constructor(engine: Engine, settings: ExchangeSettings) {
    this.#engine = engine
    this.#settings = settings
  }

  /** Whether a key has an effect on such a request; where it has none its body need not be read. */
  concerns({ method, headers }: Pick<HttpRequest, 'method' | 'headers'>): boolean {
    const { mode } = this.#settings
    if (!mode.methods.has(method)) return false
    return mode.withoutKey !== 'pass' || linesOf(headers, mode.key.header.toLowerCase()).length > 0
  }

  /**
   * @param scope whose key it is
   * @param gone the client has gone: it waits no longer, and work that has begun goes on
   * @throws what the handler throws, and `record_corrupt`
   */
  async answer(
    request: HttpRequest,
    scope: string,
    handler: HttpHandler,
    gone?: AbortSignal,
  ): Promise<Exchanged> {
    const { mode, maxBodyBytes } = this.#settings
    let key: string
    try {
      const found = readKey(linesOf(request.headers, mode.key.header.toLowerCase()), mode.key)
      if (found === undefined && mode.withoutKey === 'refuse') return this.#refuse({ kind: 'key-missing' })
      key = found ?? this.#newKey()
    } catch (error) {
      if (!isIdempotencyError(error)) throw error
      return this.#refuse({ kind: 'key-invalid', message: error.message })
    }
    if (request.body.length > maxBodyBytes) {
      return this.#refuse({ kind: 'body-too-large', maxBytes: maxBodyBytes })
    }
    try {
      return await this.#settle(request, { scope, key, gone }, handler)
    } catch (error) {
      if (!isIdempotencyError(error) || error.code !== 'store_unavailable') throw error
      return this.#refuse({ kind: 'store-unavailable' })
    }
  }

  async #settle(
    request: HttpRequest,
    { scope, key, gone }: { scope: string; key: string; gone: AbortSignal | undefined },
    handler: HttpHandler,
  ): Promise<Exchanged> {
    const { wait, onAbandoned, leftOut } = this.#settings
    const requestId = this.#newRequestId()
    let live: HttpResponse | undefined
    const settled = await this.#engine.settle(
      {
        scope,
        key,
        endpoint: `${request.method} ${request.path}`,
        fingerprint: fingerprint(
          {
            query: request.query,
            contentType: linesOf(request.headers, 'content-type')[0] ?? '',
            body: request.body,
          },
          leftOut === undefined ? {} : { leftOut },
        ),
        onAbandoned,
        wait,
        ...(gone && { signal: gone }),
      },
      async (execution) => {
        const performed = await this.#perform(execution, handler, requestId)
        live = performed.response
        return performed
      },
    )
    switch (settled.outcome) {
      case 'executed': {
        const response = live ?? asSent(decodeResponse(settled.answer))
        return { outcome: 'executed', response: this.#first(response, key, requestId) }
      }
      case 'replayed':
        return this.#replay(settled.answer, key, requestId, settled.recordId)
      case 'mismatch':
        return this.#refuse(
          settled.of === 'content'
            ? { kind: 'content-mismatch', key }
            : { kind: 'endpoint-mismatch', key, path: request.path, firstPath: pathOf(settled.endpoint) },
        )
      case 'in-use':
        return this.#refuse({ kind: 'in-use', key })
      case 'uncertain':
        return this.#refuse({ kind: 'uncertain', key, recordId: settled.recordId })
      default:
        return settled satisfies never
    }
  }

  async #perform(
    { recordId, fence, signal }: Execution,
    handler: HttpHandler,
    requestId: string,
  ): Promise<Performed & { readonly response: HttpResponse }> {
    const { mode, keptHeaders: keep, maxResponseBytes: maxBytes } = this.#settings
    let executed = true
    const notExecuted = (): void => {
      executed = false
    }
    const response = await handler({ recordId, fence, signal, notExecuted })
    const ownId = linesOf(response.headers, 'request-id')[0] ?? requestId
    return {
      response,
      answer: encodeResponse(stored(response, { keep, maxBytes, requestId: mode.requestIds ? ownId : null })),
      fate: !executed ? 'release' : mode.keeps(response.status) ? 'keep' : mode.otherwise,
    }
  }

  #first(response: HttpResponse, key: string, requestId: string): HttpResponse {
    const { mode } = this.#settings
    const ownId = linesOf(response.headers, 'request-id')[0]
    return withHeaders(response, [
      ...(mode.requestIds
        ? ([
            ...(ownId === undefined ? [['request-id', requestId] as const] : []),
            ['original-request', ownId ?? requestId],
          ] as const)
        : []),
      [mode.key.header.toLowerCase(), key],
      ...this.#shouldRetry(response.status),
    ])
  }

  #replay(answer: Uint8Array | null, key: string, requestId: string, recordId: string): Exchanged {
    const { mode } = this.#settings
    const kept = answer === null ? undefined : decodeResponse(answer)
    if (kept === undefined || kept.body === null) {
      return this.#refuse({ kind: 'response-unavailable', key, recordId, status: kept?.status ?? null })
    }
    const response = withHeaders(asSent(kept), [
      ...(mode.requestIds
        ? ([
            ['request-id', requestId],
            ['original-request', kept.requestId ?? requestId],
          ] as const)
        : []),
      [mode.key.header.toLowerCase(), key],
      ['idempotent-replayed', 'true'],
      ['cache-control', 'no-store'],
      ...this.#shouldRetry(kept.status),
    ])
    return { outcome: 'replayed', response }
  }

  /** An answer that is kept stays the same, however often it is asked for. */
  #shouldRetry(status: number): HeaderLines {
    const { mode } = this.#settings
    return mode.shouldRetry && mode.keeps(status) && status >= 500 ? [['stripe-should-retry', 'false']] : []
  }

  #refuse(problem: Problem): Exchanged {
    return { outcome: problem.kind, response: this.#settings.mode.answer(problem) }
  }

  #newKey(): string {
    return uuidOf(this.#engine.settings.random.bytes(16))
  }

  #newRequestId(): string {
    return `req_${Buffer.from(this.#engine.settings.random.bytes(12)).toString('base64url')}`
  }
}

function asSent({ status, headers, body }: StoredResponse): HttpResponse {
  return { status, headers, body: body ?? new Uint8Array() }
}

/** Ours in place of those of the same names. */
function withHeaders(response: HttpResponse, ours: HeaderLines): HttpResponse {
  const names = new Set(ours.map(([name]) => name))
  return { ...response, headers: [...response.headers.filter(([name]) => !names.has(name)), ...ours] }
}

function pathOf(endpoint: string): string {
  return endpoint.slice(endpoint.indexOf(' ') + 1)
}

/** Version 4 of RFC 9562. */
function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20)}`
}
