import type { Breaker } from '../breaker.ts'
import type { CallContext } from '../call.ts'
import { isResilienceError, ResilienceError, withoutStack } from '../errors.ts'
import type { ConcurrencyLimit } from '../limit/limit.ts'
import { checkFunction, checkNames } from '../option-checks.ts'
import { Exchange } from './exchange.ts'
import { type HttpBreakerOptions, HttpBreakers, httpOptionNames } from './http-breakers.ts'
import type { KeyedBreakerOptions } from './keyed-breakers.ts'

export interface RouteGuardOptions extends HttpBreakerOptions {
  /**
   * An adaptive limit for the requests of a key that are under way, beside the bulkhead of `options`: more get 503. What
   * succeeds is a sample, what times out a sample of a drop. Default: none.
   */
  readonly limit?: (key: string) => ConcurrencyLimit
}

const routeGuardOptionNames: readonly string[] = [...httpOptionNames, 'limit']

/** What a guarded request carries. */
export interface GuardedRequest extends CallContext {
  readonly breaker: Breaker
}

/** Why a request got no answer of its route: for the error handling of a framework, which finds status and headers in it. */
export class HttpRefusal extends ResilienceError {
  /** 503, or 504 for `TIMEOUT`. */
  readonly status: 503 | 504
  /** The same, as Fastify calls it. */
  readonly statusCode: 503 | 504
  /** `retry-after` in whole seconds, rounded up, where it is known when the circuit lets a probe through. */
  readonly headers: Readonly<Record<string, string>>

  static {
    Object.defineProperty(this.prototype, 'name', {
      value: 'HttpRefusal',
      writable: true,
      configurable: true,
    })
  }

  constructor({ code, message, retryAfter }: Pick<ResilienceError, 'code' | 'message' | 'retryAfter'>) {
    super(code, message, { retryAfter })
    this.status = code === 'TIMEOUT' ? 504 : 503
    this.statusCode = this.status
    this.headers = retryAfter === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfter / 1000)) }
  }
}

export interface RouteSteps {
  /** The route may handle the request: at once, or later where it had to wait for its place. */
  begin(): void
  /** It is to be answered with this error instead, whether it has begun or not. Not called for a client that has gone. */
  refuse(error: unknown): void
}

/** The breakers of routes. */
export class RouteGuards {
  readonly #breakers: HttpBreakers
  readonly #limitOf: ((key: string) => ConcurrencyLimit) | undefined
  readonly #limiters = new WeakMap<Breaker, Limiter>()

  /** @throws InvalidOptionError naming the option. */
  constructor(options: RouteGuardOptions, further: readonly string[] = []) {
    checkNames('options', options, [...routeGuardOptionNames, ...further])
    this.#breakers = new HttpBreakers(options)
    this.#limitOf = options.limit && checkFunction('limit', options.limit)
  }

  /** @throws InvalidOptionError */
  check(name: string, options: unknown): asserts options is KeyedBreakerOptions {
    this.#breakers.check(name, options)
  }

  /** A request of that key, to be started. */
  request(key: string, steps: RouteSteps, own?: KeyedBreakerOptions): RouteRequest {
    const breaker = this.#breakers.of(key, own)
    return new RouteRequest(breaker, steps, this.#breakers, this.#limiterOf(breaker))
  }

  #limiterOf(breaker: Breaker): Limiter | undefined {
    if (this.#limitOf === undefined) return undefined
    const known = this.#limiters.get(breaker)
    if (known !== undefined) return known
    const limiter = { limit: this.#limitOf(breaker.name), inflight: 0 }
    this.#limiters.set(breaker, limiter)
    return limiter
  }
}

interface Limiter {
  readonly limit: ConcurrencyLimit
  inflight: number
}

/** A request on its way through a guarded route. */
export class RouteRequest implements GuardedRequest {
  readonly breaker: Breaker
  readonly #steps: RouteSteps
  readonly #breakers: HttpBreakers
  readonly #limiter: Limiter | undefined
  readonly #exchange: Exchange
  #left = false
  #begun: { readonly at: number; readonly inflight: number } | undefined

  constructor(breaker: Breaker, steps: RouteSteps, breakers: HttpBreakers, limiter: Limiter | undefined) {
    this.breaker = breaker
    this.#steps = steps
    this.#breakers = breakers
    this.#limiter = limiter
    this.#exchange = new Exchange(breaker, {
      begin: () => this.#begin(),
      giveUp: (error) => this.#giveUp(error),
    })
  }

  get signal(): AbortSignal {
    return this.#exchange.signal
  }

  start(): void {
    if (this.#limiter !== undefined && this.#limiter.inflight >= this.#limiter.limit.limit) {
      const message = `${this.breaker.name}: ${this.#limiter.inflight} requests are under way, as many as it can bear now`
      this.#steps.refuse(
        withoutStack(() => new HttpRefusal({ code: 'LIMIT_EXCEEDED', message, retryAfter: undefined })),
      )
      return
    }
    this.#exchange.start()
  }

  /** The answer has begun, with this status. */
  answered(status: number): void {
    const failure = this.#breakers.failureOf(this.breaker.name, status)
    if (failure !== undefined) this.failed(failure)
    else {
      this.#exchange.succeed()
      this.#end(false)
    }
  }

  failed(error: unknown): void {
    this.#exchange.fail(error)
    this.#end(undefined)
  }

  /** The client has gone. */
  left(): void {
    this.#left = true
    this.#exchange.leave(new DOMException('The client has gone', 'AbortError'))
  }

  #begin(): void {
    const inflight = this.#limiter === undefined ? 0 : ++this.#limiter.inflight
    this.#begun = { at: this.#now(), inflight }
    this.#steps.begin()
  }

  #giveUp(error: unknown): void {
    const ours = isResilienceError(error) && error instanceof ResilienceError
    this.#end(ours && error.code === 'TIMEOUT' ? true : undefined)
    if (ours) this.#steps.refuse(withoutStack(() => new HttpRefusal(error)))
    else if (!this.#left) this.#steps.refuse(error)
  }

  #end(dropped: boolean | undefined): void {
    const begun = this.#begun
    this.#begun = undefined
    if (this.#limiter === undefined || begun === undefined) return
    this.#limiter.inflight--
    if (dropped === undefined) return
    const rtt = Math.max(shortest, this.#now() - begun.at)
    this.#limiter.limit.sample({ rtt, inflight: begun.inflight, dropped })
  }

  #now(): number {
    return this.breaker.settings.clock.monotonic()
  }
}

// Of a clock that stood still.
const shortest = 1e-6
