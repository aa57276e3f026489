import { Buffer } from 'node:buffer'
import type { Engine } from '../engine.ts'
import { IdempotencyError, isIdempotencyError, shown } from '../errors.ts'
import type { Execution, Held } from '../execution.ts'
import type { LeftOut } from '../fingerprint/canonical-json.ts'
import { fingerprint } from '../fingerprint/fingerprint.ts'
import { keyIn, keyLines, readKey } from '../key/idempotency-key.ts'
import type { Mode, Problem } from '../mode/mode.ts'
import { keptUntil, type OnAbandoned } from '../record/record.ts'
import { decodeResponse, encodeResponse, keptBody, type StoredResponse } from '../response/stored-response.ts'
import { checkScope } from '../run.ts'
import type { Performed, Request, Settled } from '../settlement.ts'
import type { IdempotencyStore, TransactionalStore } from '../store/store.ts'
import { firstAnswer, refusal, repeatedAnswer } from './answers.ts'
import { withoutCodings } from './content-coding.ts'
import { KeptStream } from './kept-stream.ts'
import {
  type HttpRequest,
  type HttpResponse,
  type LiveResponse,
  linesOf,
  type ReceivedRequest,
} from './message.ts'
import { settleHandler } from './settle-handler.ts'

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
  readonly refresh?: Refresh
  readonly failOpen?: FailOpen
}

/** What was answered to a key first, and by whom it is asked for again. */
export interface KeptAnswer {
  readonly recordId: string
  readonly scope: string
  readonly method: string
  readonly path: string
  readonly response: HttpResponse
}

/** What a kept success has become since; undefined: what it was. */
export type Refresh = (kept: KeptAnswer) => HttpResponse | undefined | Promise<HttpResponse | undefined>

/** Whether requests of a route are carried out where the store cannot be asked. */
export type FailOpen = (route: Pick<HttpRequest, 'method' | 'path'>) => boolean

/** What a handler is told of its request. */
export interface HandlerContext extends Pick<Execution, 'recordId' | 'fence' | 'signal'> {
  /** The transaction that the key is in, where there is one; `transactionOf` gives it with its type. */
  readonly transaction?: { readonly store: IdempotencyStore; readonly handle: unknown }
  /** Says that the answer was given before execution began, as to bad parameters: it is not kept, and the key is as new. */
  notExecuted(): void
}

/** Of a request on which no key has an effect. */
const unkeyed: HandlerContext = {
  recordId: '',
  fence: 0,
  signal: new AbortController().signal,
  notExecuted() {},
}

interface ReadContext extends HandlerContext {
  /** Whether execution began, as far as it was told. */
  readonly executed: boolean
}

export type HttpHandler = (context: HandlerContext) => Promise<LiveResponse>

/** What became of a request, for those who count. */
export type ExchangeOutcome = Settled['outcome'] | 'passed' | Problem['kind']

type Replayed = Extract<Settled, { outcome: 'replayed' }>

/** An answer, and how it came about. */
export interface Exchanged {
  readonly outcome: ExchangeOutcome
  readonly response: LiveResponse
}

/** The body of an answer that goes to its client while it is still in the making. */
interface Streaming {
  readonly stream: KeptStream
  readonly exchanged: Exchanged
}

/** Answers a request: by its handler the first time, from what was kept from then on. */
export class Exchange {
  readonly settings: ExchangeSettings
  readonly #engine: Engine
  readonly #keyHeader: string
  readonly #transactional: TransactionalStore<unknown> | undefined

  /** @param transactional the store, where key, answer and what the handler writes in it are one commit */
  constructor(engine: Engine, settings: ExchangeSettings, transactional?: TransactionalStore<unknown>) {
    this.#engine = engine
    this.#transactional = transactional
    this.#keyHeader = settings.mode.key.header.toLowerCase()
    this.settings = settings
  }

  /** Whether a key has an effect on such a request; where it has none its body need not be read. */
  concerns({ method, headers }: Pick<HttpRequest, 'method' | 'headers'>): boolean {
    const { mode } = this.settings
    if (!mode.methods.has(method)) return false
    if (mode.withoutKey !== 'pass' || mode.key.member !== undefined) return true
    // Its handler counts on a transaction, so each request has one, and a key.
    if (this.#transactional !== undefined) return true
    return headers.some(([name]) => name === this.#keyHeader)
  }

  /**
   * A request on which no key has an effect is the handler's alone. A body that is whole is stored before the answer is there; one in the making goes on to the client as it is produced, and ends
   * once it is stored.
   *
   * @param scope whose key it is
   * @param gone the client has gone: it waits no longer, and work that has begun goes on
   * @throws what the handler throws, `record_corrupt`, and `scope_missing` where `scope` is no string or empty
   */
  async answer(
    request: ReceivedRequest,
    scope: unknown,
    handler: HttpHandler,
    gone?: AbortSignal,
  ): Promise<Exchanged> {
    const { mode, maxBodyBytes } = this.settings
    if (!this.concerns(request)) return { outcome: 'passed', response: await handler(unkeyed) }
    const codings = linesOf(request.headers, 'content-encoding')
    const body =
      request.body === null || request.body.length > maxBodyBytes
        ? null
        : await withoutCodings(request.body, codings, maxBodyBytes)
    if (body === null) return this.refuse({ kind: 'body-too-large', maxBytes: maxBodyBytes })
    let key: string
    let made: boolean
    try {
      const found = readKey(keyLines({ headers: request.headers, body }, mode.key), mode.key)
      if (found === undefined && mode.withoutKey === 'refuse') return this.refuse({ kind: 'key-missing' })
      made = found === undefined
      key = found ?? this.#newKey()
    } catch (error) {
      if (!isIdempotencyError(error)) throw error
      return this.refuse({ kind: 'key-invalid', message: error.message })
    }
    if (typeof scope !== 'string' || scope === '' || !scope.isWellFormed()) {
      throw new IdempotencyError(
        'scope_missing',
        `scope must say whose the key of ${request.method} ${request.path} is, and gave ${shown(scope)}: authenticate before idempotency`,
      )
    }
    checkScope(scope)
    const early = Promise.withResolvers<Streaming>()
    const settled = this.#settle({ ...request, body }, { scope, key, made, gone }, handler, early.resolve)
    const first = await Promise.race([settled, early.promise])
    if (!('stream' in first)) return first
    void this.#endOf(first.stream, settled)
    return first.exchanged
  }

  async #endOf(stream: KeptStream, settled: Promise<Exchanged>): Promise<void> {
    try {
      const { outcome } = await settled
      if (outcome === 'executed') await stream.end()
      else
        await stream.fail(new IdempotencyError('lease_lost', 'another holder has answered in the meantime'))
    } catch (error) {
      await stream.fail(error)
    }
  }

  async #settle(
    request: HttpRequest,
    { scope, key, made, gone }: { scope: string; key: string; made: boolean; gone: AbortSignal | undefined },
    handler: HttpHandler,
    early: (streaming: Streaming) => void,
  ): Promise<Exchanged> {
    const { mode } = this.settings
    const requestId = this.#newRequestId()
    let live: LiveResponse | undefined
    let begun = false
    /** Where it is told for how long its answer is kept. */
    let held: Held | undefined
    const work = async (execution: Held, transaction?: unknown): Promise<Performed> => {
      begun = true
      if (mode.tellsExpiry === true) held = execution
      const context = this.#contextOf(execution, transaction)
      const { response, performed } = await this.#perform(context, handler, requestId, (streamed) => {
        const [length] = linesOf(streamed.headers, 'content-length')
        const stream = new KeptStream(
          streamed.body,
          this.settings.maxResponseBytes,
          length === undefined ? undefined : Number(length),
          gone,
        )
        const sent = firstAnswer(mode, { ...streamed, body: stream.client() }, { key, requestId })
        early({ stream, exchanged: { outcome: 'executed', response: sent } })
        return stream
      })
      live = response
      // Nobody else has a key that was made for this request, and it is asked for anew under another one.
      return made && performed.fate === 'leave' ? { ...performed, fate: 'release' } : performed
    }
    let settled: Settled
    try {
      settled = await this.#settled(this.#requestOf(request, { scope, key, gone }), work)
    } catch (error) {
      if (!isIdempotencyError(error) || error.code !== 'store_unavailable') throw error
      if (begun || this.settings.failOpen?.(request) !== true)
        return this.refuse({ kind: 'store-unavailable' })
      this.#engine.settings.events.emit('failed-open', { method: request.method, path: request.path })
      return { outcome: 'passed', response: await handler(unkeyed) }
    }
    switch (settled.outcome) {
      case 'executed': {
        const response = live ?? asSent(decodeResponse(settled.answer))
        const expiresAt = held && keptUntil({ ...settled, createdAt: held.createdAt }, held.now())
        return { outcome: 'executed', response: firstAnswer(mode, response, { key, requestId, expiresAt }) }
      }
      case 'replayed':
        return this.#replay(settled, key, requestId, { scope, method: request.method, path: request.path })
      case 'mismatch':
        return this.refuse(
          settled.of === 'content'
            ? { kind: 'content-mismatch', key }
            : { kind: 'endpoint-mismatch', key, path: request.path, firstPath: pathOf(settled.endpoint) },
        )
      case 'in-use':
        return this.refuse({ kind: 'in-use', key })
      case 'uncertain':
        return this.refuse({ kind: 'uncertain', key, recordId: settled.recordId })
      default:
        return settled satisfies never
    }
  }

  #settled(
    request: Request,
    work: (execution: Held, transaction?: unknown) => Promise<Performed>,
  ): Promise<Settled> | Settled {
    const [engine, store] = [this.#engine, this.#transactional]
    return store === undefined
      ? engine.settle(request, work)
      : engine.observe(request, work, (each) => settleHandler(engine, store, request, each))
  }

  #requestOf(
    request: HttpRequest,
    { scope, key, gone }: { scope: string; key: string; gone: AbortSignal | undefined },
  ): Request {
    const { mode, wait, onAbandoned, leftOut } = this.settings
    const compared = mode.comparedHeaders
    const contentType = linesOf(request.headers, 'content-type')[0] ?? ''
    const content = {
      query: request.query,
      contentType,
      body: request.body,
      ...(compared && { headers: request.headers.filter(([name]) => compared.includes(name)) }),
    }
    return {
      scope,
      key: keyIn(mode.keySpace, key),
      endpoint: `${request.method} ${request.path}`,
      fingerprint: fingerprint(content, leftOut === undefined ? {} : { leftOut }),
      content,
      onAbandoned,
      wait,
      ...(gone && { signal: gone }),
    }
  }

  #contextOf(execution: Execution, handle: unknown): ReadContext {
    const { recordId, fence } = execution
    const store = this.#transactional
    const context = {
      recordId,
      fence,
      // Made when somebody asks for it.
      get signal() {
        return execution.signal
      },
      executed: true,
      notExecuted: () => {
        context.executed = false
      },
      ...(store && { transaction: { store, handle } }),
    }
    return context
  }

  async #perform(
    context: ReadContext,
    handler: HttpHandler,
    requestId: string,
    streaming: (response: LiveResponse & { readonly body: AsyncIterable<Uint8Array> }) => KeptStream,
  ): Promise<{ readonly response: LiveResponse; readonly performed: Performed }> {
    const { mode, keptHeaders, maxResponseBytes } = this.settings
    const response = await handler(context)
    const { status, headers, body } = response
    const ownId = linesOf(headers, 'request-id')[0] ?? requestId
    const kept =
      body instanceof Uint8Array
        ? keptBody(body, maxResponseBytes)
        : await streaming({ status, headers, body }).read()
    const answer = encodeResponse({
      status,
      headers: headers.filter(([name]) => keptHeaders.has(name)),
      requestId: mode.requestIds ? ownId : null,
      ...kept,
    })
    // Where an attempt before it has begun execution, a refusal undoes neither that nor what the key is for.
    if (!context.executed)
      return { response, performed: { answer, fate: context.fence > 1 ? 'leave' : 'release' } }
    return mode.keeps(status)
      ? { response, performed: { answer, fate: 'keep', undo: status >= 400 } }
      : { response, performed: { answer, fate: mode.otherwise } }
  }

  async #replay(
    { answer, recordId, expiresAt }: Replayed,
    key: string,
    requestId: string,
    of: Pick<KeptAnswer, 'scope' | 'method' | 'path'>,
  ): Promise<Exchanged> {
    const { mode, refresh } = this.settings
    const kept = answer === null ? undefined : decodeResponse(answer)
    if (kept === undefined || kept.body === null || mode.repeats === 'refused') {
      return this.refuse({ kind: 'response-unavailable', key, recordId, status: kept?.status ?? null })
    }
    const response = asSent(kept)
    const now = kept.status < 400 ? await refresh?.({ ...of, recordId, response }) : undefined
    const repeated = { key, requestId, expiresAt }
    return {
      outcome: 'replayed',
      response: repeatedAnswer(mode, now ?? response, kept.requestId ?? requestId, repeated),
    }
  }

  /** The answer of the mode to a problem. */
  refuse(problem: Problem): Exchanged {
    const { mode } = this.settings
    return { outcome: problem.kind, response: refusal(mode, mode.answer(problem), this.#newRequestId()) }
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

function pathOf(endpoint: string): string {
  return endpoint.slice(endpoint.indexOf(' ') + 1)
}

/** Version 4 of RFC 9562. */
function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20)}`
}
