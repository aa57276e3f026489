import {
  type AxiosAdapter,
  AxiosError,
  type AxiosRequestConfig,
  type AxiosResponse,
  CanceledError,
  getAdapter,
  type InternalAxiosRequestConfig,
  isCancel,
} from 'axios'
import { checkFunction, checkNames } from '../option-checks.ts'
import { Exchange, type ExchangeSteps } from './exchange.ts'
import { type HttpBreakerOptions, HttpBreakers, httpOptionNames } from './http-breakers.ts'

export { FailureStatusError, type HttpBreakerOptions } from './http-breakers.ts'
export type { KeyedBreakerOptions, KeyedOptions } from './keyed-breakers.ts'

export interface AxiosBreakerOptions extends HttpBreakerOptions {
  /** What sends the requests that are let through. Default: as axios chooses, `['xhr', 'http', 'fetch']`. */
  readonly adapter?: NonNullable<AxiosRequestConfig['adapter']>
  /** The name of the breaker of a request; undefined for one that goes unguarded. Default: its origin. */
  readonly keyOf?: (request: InternalAxiosRequestConfig) => string | undefined
}

/**
 * An adapter of axios 1 that puts a breaker before each origin, between the interceptors of requests and of responses.
 *
 * - Failed are answers of 500 and above, or what `isFailureStatus` says, whether `validateStatus` makes errors of them or
 *   not, and every error of connection, protocol or axios' own `timeout`. The answer or error itself comes to the caller
 *   as it is.
 * - Neither failed nor succeeded: a request that its caller cancels, by `signal` or `cancelToken`, also while it waits for
 *   a place (a CanceledError, as ever); one that axios finds invalid or too large to send.
 * - A refused request is rejected with ResilienceError `CIRCUIT_OPEN` (with `retryAfter`) or `BULKHEAD_FULL`, and nothing is
 *   sent.
 * - With `responseType: 'stream'` an answer counts when it begins. Redirects are followed inside, and count once.
 * - `timeout` is off unless it is given: axios has its own, which counts. Where it is given, a request over it is aborted.
 *
 * ```ts
 * const api = axios.create({ baseURL, adapter: breakerAdapter({ registry }) })
 * existing.defaults.adapter = breakerAdapter({ registry, adapter: existing.defaults.adapter })
 * ```
 *
 * @throws InvalidOptionError naming the option.
 */
export function breakerAdapter(options: AxiosBreakerOptions = {}): AxiosAdapter {
  const { adapter = ['xhr', 'http', 'fetch'], keyOf = originOf, ...http } = options
  checkNames('options', options, [...httpOptionNames, 'adapter', 'keyOf'])
  checkFunction('keyOf', keyOf)
  const breakers = new HttpBreakers(http, { timeout: false })
  return (config) =>
    new Promise((resolve, reject) => {
      const send = getAdapter(adapter, config)
      const key = keyOf(config)
      if (key === undefined) resolve(send(config))
      else new GuardedRequest({ breakers, key, send, config, resolve, reject }).start()
    })
}

interface GuardedParts {
  readonly breakers: HttpBreakers
  readonly key: string
  readonly send: AxiosAdapter
  readonly config: InternalAxiosRequestConfig
  readonly resolve: (response: AxiosResponse) => void
  readonly reject: (error: unknown) => void
}

class GuardedRequest implements ExchangeSteps {
  readonly #parts: GuardedParts
  readonly #exchange: Exchange
  #stopWaiting: (() => void) | undefined

  constructor(parts: GuardedParts) {
    this.#parts = parts
    this.#exchange = new Exchange(parts.breakers.of(parts.key), this)
  }

  start(): void {
    this.#exchange.start()
    // Once it is sent, axios itself looks at them.
    if (this.#exchange.queued)
      this.#stopWaiting = onCancel(this.#parts.config, (error) => this.#exchange.leave(error))
  }

  begin(): void {
    this.#stopWaiting?.()
    const { send, config } = this.#parts
    send({ ...config, signal: withOwn(config.signal, this.#exchange) }).then(
      (response) => this.#answered(response),
      (error: unknown) => this.#failed(error),
    )
  }

  giveUp(error: unknown): void {
    this.#stopWaiting?.()
    this.#parts.reject(error)
  }

  #answered(response: AxiosResponse): void {
    this.#settle(response)
    // As the caller gave it: retries send it again.
    response.config = this.#parts.config
    this.#parts.resolve(response)
  }

  #failed(error: unknown): void {
    const answer = error instanceof AxiosError ? error.response : undefined
    // One without data broke off in the middle.
    if (answer !== undefined && 'data' in answer) this.#settle(answer)
    else if (isOurs(error)) this.#exchange.leave(error)
    else this.#exchange.fail(error)
    if (error instanceof AxiosError) error.config = this.#parts.config
    this.#parts.reject(error)
  }

  #settle({ status }: AxiosResponse): void {
    const { breakers, key } = this.#parts
    const failure = breakers.failureOf(key, status)
    if (failure === undefined) this.#exchange.succeed()
    else this.#exchange.fail(failure)
  }
}

type Signal = NonNullable<InternalAxiosRequestConfig['signal']>

function withOwn(signal: Signal | undefined, exchange: Exchange): Signal {
  if (signal === undefined) return exchange.signal
  // One that is only like a signal cannot be joined, and is the caller's.
  return signal instanceof AbortSignal ? AbortSignal.any([signal, exchange.signal]) : signal
}

/** Calls `leave` when the caller cancels; the function that comes back ends it. */
function onCancel(config: InternalAxiosRequestConfig, leave: (error: unknown) => void): () => void {
  const { signal, cancelToken } = config
  const aborted = (): void => leave(new CanceledError(undefined, config))
  signal?.addEventListener?.('abort', aborted)
  let waits = true
  // A token forgets nobody but by an internal of axios.
  void cancelToken?.promise.then((reason) => (waits ? leave(reason) : undefined))
  return () => {
    waits = false
    signal?.removeEventListener?.('abort', aborted)
  }
}

/** Whether it ended on this side, which says nothing about the origin. */
function isOurs(error: unknown): boolean {
  return isCancel(error) || (error instanceof AxiosError && ourCodes.has(error.code ?? ''))
}

const ourCodes: ReadonlySet<string> = new Set([
  AxiosError.ERR_BAD_OPTION,
  AxiosError.ERR_BAD_OPTION_VALUE,
  AxiosError.ERR_BAD_REQUEST,
  AxiosError.ERR_DEPRECATED,
  AxiosError.ERR_FORM_DATA_DEPTH_EXCEEDED,
  AxiosError.ERR_INVALID_URL,
  AxiosError.ERR_NOT_SUPPORT,
])

function originOf({ url = '', baseURL, allowAbsoluteUrls, socketPath }: InternalAxiosRequestConfig): string {
  if (typeof socketPath === 'string') return `unix:${socketPath}`
  const address = allowAbsoluteUrls === false ? baseURL : URL.canParse(url) ? url : undefined
  return URL.parse(address ?? url, baseURL)?.origin ?? 'axios'
}
