import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { InvalidOptionError, shown } from '../errors.ts'
import { checkFunction, checkNames } from '../option-checks.ts'
import { Exchange, type ExchangeSteps } from './exchange.ts'
import { type HttpBreakerOptions, HttpBreakers, httpOptionNames } from './http-breakers.ts'

export { FailureStatusError, type HttpBreakerOptions } from './http-breakers.ts'
export type { KeyedBreakerOptions, KeyedOptions } from './keyed-breakers.ts'

export interface BreakerInterceptorOptions extends HttpBreakerOptions {
  /**
   * The name of the breaker of a request; undefined for one that goes unguarded. Default: its origin, `undici` where it has
   * none, as those of a Client or Pool of undici 7 that was composed itself.
   */
  readonly keyOf?: (request: Dispatcher.DispatchOptions) => string | undefined
  /**
   * When an answer that is no failure counts as a success: with its `end`, the default, so that one that breaks off
   * counts as failed; or with its `headers`, for streams that have no end.
   */
  readonly settleAt?: 'end' | 'headers'
}

/**
 * An interceptor of undici 7 and 8 that puts a breaker before each origin.
 *
 * - Failed are the statuses that `isFailureStatus` says, as soon as the headers are there, and every error of connection,
 *   protocol or undici's own time limits, also in the middle of a body. The answer itself comes to the caller as it is.
 * - Neither failed nor succeeded: a request that its caller aborts, or whose answer it does not read to the end; one
 *   whose own body fails, or that undici finds invalid; one of a dispatcher that was closed or destroyed. A probe that
 *   ends so gives its permit back.
 * - An upgrade and CONNECT are over with their answer.
 * - A refused request is rejected with ResilienceError `CIRCUIT_OPEN` (with `retryAfter`) or `BULKHEAD_FULL`; `fetch`
 *   has it as `cause` of its TypeError. Nothing is sent then.
 * - `timeout` is off unless it is given: undici limits connecting, headers and pauses of the body, and those count. Where
 *   it is given it is for the whole exchange up to where that settles, and a request over it is aborted.
 *
 * Interceptors composed before it are inside of it, as `retry` should be only where its attempts are to count as one.
 *
 * ```ts
 * setGlobalDispatcher(new Agent().compose(breakerInterceptor({ options: { volumeThreshold: 5 } })))
 * ```
 *
 * @throws InvalidOptionError naming the option.
 */
export function breakerInterceptor(
  options: BreakerInterceptorOptions = {},
): Dispatcher.DispatcherComposeInterceptor {
  checkNames('options', options, [...httpOptionNames, 'keyOf', 'settleAt'])
  const { keyOf = originOf, settleAt = 'end' } = options
  checkFunction('keyOf', keyOf)
  if (settleAt !== 'end' && settleAt !== 'headers')
    throw new InvalidOptionError(`settleAt must be end or headers, not ${shown(settleAt)}`)
  const breakers = new HttpBreakers(options, { timeout: false })
  return (dispatch) => (request, handler) => {
    let guarded: GuardedRequest
    try {
      const key = keyOf(request)
      if (key === undefined) return dispatch(request, handler)
      guarded = new GuardedRequest({ dispatch, request, handler, breakers, key, settleAt })
    } catch (error) {
      if (handler.onResponseError === undefined) throw error
      handler.onResponseError(new PlaceController(), asError(error))
      return true
    }
    return guarded.start()
  }
}

interface GuardedParts {
  readonly dispatch: Dispatcher.Dispatch
  readonly request: Dispatcher.DispatchOptions
  readonly handler: Dispatcher.DispatchHandler
  readonly breakers: HttpBreakers
  readonly key: string
  readonly settleAt: 'end' | 'headers'
}

/** Stands between undici and the handler of a request: passes everything on, and tells the breaker how it went. */
class GuardedRequest implements Dispatcher.DispatchHandler, ExchangeSteps {
  readonly #parts: GuardedParts
  readonly #handler: Dispatcher.DispatchHandler
  readonly #exchange: Exchange
  /** The handler's, where it was given one before undici had any. */
  #place: PlaceController | undefined
  #controller: Dispatcher.DispatchController | undefined
  #goOn = true
  /** The handler has this error, and is to hear no more. */
  #failedWith: Error | undefined

  constructor(parts: GuardedParts) {
    this.#parts = parts
    this.#handler = parts.handler
    this.#exchange = new Exchange(parts.breakers.of(parts.key), this)
  }

  /** What dispatch answers: false where the caller should wait for `drain`. */
  start(): boolean {
    this.#exchange.start()
    if (this.#exchange.queued) {
      this.#place = new PlaceController((reason) => this.#exchange.leave(reason))
      this.#handler.onRequestStart?.(this.#place, {})
    }
    return this.#goOn
  }

  begin(): void {
    const { dispatch, request } = this.#parts
    try {
      this.#goOn = dispatch(request, this)
    } catch (error) {
      this.#exchange.leave(error)
    }
  }

  giveUp(thrown: unknown): void {
    const error = asError(thrown)
    // The error comes back from there.
    if (this.#controller !== undefined) {
      this.#controller.abort(error)
      return
    }
    this.#failedWith = error
    this.#handler.onResponseError?.(this.#place ?? new PlaceController(), error)
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    if (this.#failedWith !== undefined) {
      controller.abort(this.#failedWith)
      return
    }
    this.#controller = controller
    if (this.#place === undefined) this.#handler.onRequestStart?.(controller, context)
    else this.#place.hand(controller)
  }

  onRequestUpgrade(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>): void {
    const [, status] = args
    this.#answered(status)
    this.#exchange.succeed()
    this.#handler.onRequestUpgrade?.(...args)
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.()
  }

  onResponseStart(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>): void {
    const [, status] = args
    // 100 to 199 come before the answer.
    if (status >= 200) {
      this.#answered(status)
      if (this.#parts.settleAt === 'headers') this.#exchange.succeed()
    }
    this.#handler.onResponseStart?.(...args)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk)
  }

  onResponseEnd(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseEnd']>>): void {
    this.#exchange.succeed()
    this.#handler.onResponseEnd?.(...args)
  }

  onResponseError(controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#failedWith !== undefined) return
    this.#failedWith = error
    const status = statusOf(error)
    if (this.#isOurs(controller, error)) this.#exchange.leave(error)
    else if (status === undefined) this.#exchange.fail(error)
    else {
      this.#answered(status)
      this.#exchange.succeed()
    }
    this.#handler.onResponseError?.(controller ?? this.#place ?? new PlaceController(), error)
  }

  onBodySent(chunk: Buffer): void {
    this.#handler.onBodySent?.(chunk)
  }

  onRequestSent(): void {
    this.#handler.onRequestSent?.()
  }

  #answered(status: number): void {
    const { breakers, key } = this.#parts
    const failure = breakers.failureOf(key, status)
    if (failure !== undefined) this.#exchange.fail(failure)
  }

  /** Whether it broke on this side, which says nothing about the origin. */
  #isOurs(controller: Dispatcher.DispatchController | null, error: Error): boolean {
    if (controller?.aborted === true && error === controller.reason) return true
    const { body } = this.#parts.request
    if (body instanceof Readable && body.errored === error) return true
    return 'code' in error && typeof error.code === 'string' && ourCodes.has(error.code)
  }
}

const ourCodes: ReadonlySet<string> = new Set([
  'UND_ERR_ABORTED',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_MAX_ORIGINS_REACHED',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
])

/** What a handler steers its request with as long as undici does not know it. */
class PlaceController implements Dispatcher.DispatchController {
  readonly #abort: (reason: Error) => void
  #later: Dispatcher.DispatchController | undefined
  #reason: Error | null = null
  #paused = false

  constructor(abort: (reason: Error) => void = () => {}) {
    this.#abort = abort
  }

  get aborted(): boolean {
    return this.#later?.aborted ?? this.#reason !== null
  }

  get paused(): boolean {
    return this.#later?.paused ?? this.#paused
  }

  get reason(): Error | null {
    return this.#later?.reason ?? this.#reason
  }

  abort(reason: Error): void {
    if (this.#later !== undefined) this.#later.abort(reason)
    else if (this.#reason === null) {
      this.#reason = reason
      this.#abort(reason)
    }
  }

  pause(): void {
    this.#paused = true
    this.#later?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#later?.resume()
  }

  hand(later: Dispatcher.DispatchController): void {
    this.#later = later
    if (this.#paused) later.pause()
  }
}

// Of a client or pool, which undici gives its own origin; a dispatcher that has none is one.
function originOf({ origin }: Dispatcher.DispatchOptions): string {
  if (origin === undefined) return 'undici'
  return typeof origin === 'string' ? (URL.parse(origin)?.origin ?? origin) : origin.origin
}

/** Of the errors that undici's interceptor `responseError` makes of answers. */
function statusOf(error: Error): number | undefined {
  return 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown })
}
