import {
  InterceptingCall,
  type InterceptingListener,
  type Interceptor,
  type InterceptorOptions,
  Metadata,
  type NextCall,
  type StatusObject,
  status,
} from '@grpc/grpc-js'
import { InvalidOptionError, isResilienceError, shown } from '../errors.ts'
import { checkFunction, checkNames, durationMax } from '../option-checks.ts'
import type { Clock } from '../ports.ts'
import { Exchange, type ExchangeSteps } from './exchange.ts'
import { HttpBreakers, httpOptionNames } from './http-breakers.ts'
import type { KeyedOptions } from './keyed-breakers.ts'

export { FailureStatusError } from './http-breakers.ts'
export type { KeyedBreakerOptions, KeyedOptions } from './keyed-breakers.ts'

export interface GrpcBreakerOptions extends KeyedOptions {
  /**
   * Status codes that count as failed. Default: UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE,
   * DATA_LOSS. CANCELLED counts neither way and is not asked about.
   */
  readonly isFailureStatus?: (code: status) => boolean
  /**
   * The name of the breaker of a call; undefined for one that goes unguarded. Default: the service, `package.Service`.
   * Where clients of several targets share a registry, put the target in.
   */
  readonly keyOf?: (call: InterceptorOptions) => string | undefined
  /**
   * When a call that has not failed counts as a success: with its `status`, the default; or with its `metadata`, for
   * streams that have no end.
   */
  readonly settleAt?: 'status' | 'metadata'
}

/** What a caller that was refused is told, as `cause` of its ServiceError. */
interface RefusedStatus extends StatusObject {
  readonly cause: unknown
}

/**
 * A client interceptor of `@grpc/grpc-js` 1 that puts a breaker before each service, for unary and streaming calls.
 *
 * - A call has failed by its status code. Codes that tell of the request, such as NOT_FOUND or INVALID_ARGUMENT, are
 *   successes of the service.
 * - Neither failed nor succeeded: a call that its caller cancels, and whatever ends CANCELLED. A probe gives its permit back.
 * - A refused call is not started. It ends with UNAVAILABLE where the circuit is open, RESOURCE_EXHAUSTED where the bulkhead
 *   is full; `cause` of the ServiceError is the ResilienceError, with `code` and `retryAfter`.
 * - `timeout` is off unless it is given: calls have deadlines, which count, but not those that pass while a call waits for a
 *   place. Where it is given, a call over it is cancelled
 *   and ends with DEADLINE_EXCEEDED.
 *
 * ```ts
 * new Users(address, credentials, { interceptors: [breakerInterceptor({ registry })] })
 * ```
 *
 * @throws InvalidOptionError naming the option.
 */
export function breakerInterceptor(options: GrpcBreakerOptions = {}): Interceptor {
  checkNames('options', options, [...httpOptionNames, 'keyOf', 'settleAt'])
  const { keyOf = serviceOf, settleAt = 'status', isFailureStatus = isFailure, ...keyed } = options
  checkFunction('keyOf', keyOf)
  if (settleAt !== 'status' && settleAt !== 'metadata')
    throw new InvalidOptionError(`settleAt must be status or metadata, not ${shown(settleAt)}`)
  const breakers = new HttpBreakers({ ...keyed, isFailureStatus }, { timeout: false })
  return (call, nextCall) => {
    const key = keyOf(call)
    return new InterceptingCall(
      key === undefined ? nextCall(call) : new GuardedCall({ breakers, key, settleAt, call, nextCall }),
    )
  }
}

const failures: ReadonlySet<number> = new Set([
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
])

function isFailure(code: number): boolean {
  return failures.has(code)
}

/** Of `/package.Service/Method`. */
function serviceOf({ method_definition: { path } }: InterceptorOptions): string {
  return path.slice(path.startsWith('/') ? 1 : 0, Math.max(path.lastIndexOf('/'), 0)) || path
}

interface GuardedParts {
  readonly breakers: HttpBreakers
  readonly key: string
  readonly settleAt: 'status' | 'metadata'
  readonly call: InterceptorOptions
  readonly nextCall: NextCall
}

type UnderlyingCall = ReturnType<NextCall>
type AnyCall = ConstructorParameters<typeof InterceptingCall>[0]
type MessageContext = Parameters<AnyCall['sendMessageWithContext']>[0]

/** A call that is made when the breaker lets it through, and keeps until then what it is told to do. */
class GuardedCall implements AnyCall, ExchangeSteps {
  readonly #parts: GuardedParts
  readonly #exchange: Exchange
  #metadata: Metadata = new Metadata()
  #listener: Partial<InterceptingListener> = {}
  #underlying: UnderlyingCall | undefined
  #waiting: ((call: UnderlyingCall) => void)[] = []
  #callbacks: MessageContext['callback'][] = []
  #isCancelled = false
  #timer: unknown
  /** Stands for the status of the call that was cancelled because of it. */
  #refused: RefusedStatus | undefined

  constructor(parts: GuardedParts) {
    this.#parts = parts
    this.#exchange = new Exchange(parts.breakers.of(parts.key), this)
  }

  start(metadata: Metadata, listener: Partial<InterceptingListener> = {}): void {
    this.#metadata = metadata
    this.#listener = listener
    this.#exchange.start()
    // Once it is made, the call itself has it.
    if (this.#exchange.queued) this.#armDeadline()
  }

  begin(): void {
    this.#clock.clearTimeout(this.#timer)
    const { nextCall, call, settleAt } = this.#parts
    const underlying = nextCall(call)
    this.#underlying = underlying
    underlying.start(this.#metadata, {
      onReceiveMetadata: (metadata) => {
        if (settleAt === 'metadata') this.#exchange.succeed()
        this.#listener.onReceiveMetadata?.(metadata)
      },
      onReceiveMessage: (message) => this.#listener.onReceiveMessage?.(message),
      onReceiveStatus: (ended) => this.#ended(ended),
    })
    for (const each of this.#waiting) each(underlying)
    this.#waiting = []
    this.#callbacks = []
  }

  giveUp(error: unknown): void {
    if (this.#isCancelled) return
    this.#refused = refusedStatus(error)
    // Its status comes back from there.
    if (this.#underlying !== undefined)
      this.#underlying.cancelWithStatus(this.#refused.code, this.#refused.details)
    else this.#endUnsent(this.#refused)
  }

  cancelWithStatus(code: status, details: string): void {
    if (this.#isCancelled) return
    this.#isCancelled = true
    if (this.#underlying !== undefined) this.#underlying.cancelWithStatus(code, details)
    else if (this.#refused === undefined) {
      this.#exchange.leave(new DOMException(details, 'AbortError'))
      process.nextTick(() => this.#endUnsent({ code, details, metadata: new Metadata() }))
    }
  }

  sendMessageWithContext(context: MessageContext, message: unknown): void {
    if (this.#underlying === undefined) this.#callbacks.push(context.callback)
    this.#do((call) => call.sendMessageWithContext(context, message))
  }

  sendMessage(message: unknown): void {
    this.#do((call) => call.sendMessage(message))
  }

  startRead(): void {
    this.#do((call) => call.startRead())
  }

  halfClose(): void {
    this.#do((call) => call.halfClose())
  }

  getPeer(): string {
    return this.#underlying?.getPeer() ?? 'unknown'
  }

  getAuthContext(): ReturnType<AnyCall['getAuthContext']> {
    return this.#underlying?.getAuthContext() ?? null
  }

  get #clock(): Clock {
    return this.#exchange.breaker.settings.clock
  }

  #armDeadline(): void {
    const { deadline = Infinity } = this.#parts.call
    const wait = Number(deadline) - this.#clock.now()
    // Further away than a timer can be.
    if (wait > durationMax) return
    this.#timer = this.#clock.setTimeout(
      () => this.cancelWithStatus(status.DEADLINE_EXCEEDED, 'Deadline exceeded while waiting for a place'),
      Math.max(0, wait),
    )
  }

  #do(what: (call: UnderlyingCall) => void): void {
    if (this.#underlying !== undefined) what(this.#underlying)
    else if (this.#refused === undefined && !this.#isCancelled) this.#waiting.push(what)
  }

  #ended(ended: StatusObject): void {
    const { breakers, key } = this.#parts
    if (this.#refused !== undefined) {
      this.#listener.onReceiveStatus?.(this.#refused)
      return
    }
    if (this.#isCancelled || ended.code === status.CANCELLED) {
      this.#isCancelled = true
      this.#exchange.leave(new DOMException(ended.details, 'AbortError'))
    } else {
      const failure = breakers.failureOf(key, ended.code)
      if (failure === undefined) this.#exchange.succeed()
      else this.#exchange.fail(failure)
    }
    this.#listener.onReceiveStatus?.(ended)
  }

  #endUnsent(ended: StatusObject): void {
    this.#clock.clearTimeout(this.#timer)
    this.#waiting = []
    // Of a stream that is being written to, which waits for them.
    for (const callback of this.#callbacks) callback?.()
    // As grpc-js itself does: a unary call without an answer has none.
    if (!this.#parts.call.method_definition.responseStream) this.#listener.onReceiveMessage?.(null)
    this.#listener.onReceiveStatus?.(ended)
  }
}

function refusedStatus(error: unknown): RefusedStatus {
  const details = error instanceof Error ? error.message : String(error)
  return { code: codeOf(error), details, metadata: new Metadata(), cause: error }
}

function codeOf(error: unknown): status {
  if (!isResilienceError(error)) return status.INTERNAL
  if (error.code === 'TIMEOUT') return status.DEADLINE_EXCEEDED
  return error.code === 'BULKHEAD_FULL' ? status.RESOURCE_EXHAUSTED : status.UNAVAILABLE
}
