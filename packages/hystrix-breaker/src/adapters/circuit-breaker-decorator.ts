import { AsyncLocalStorage } from 'node:async_hooks'
import { Breaker } from '../breaker.ts'
import { type BreakerOptions, breakerSettings } from '../breaker-options.ts'
import type { CallContext, ExecuteOptions } from '../call.ts'
import { InvalidOptionError, shown } from '../errors.ts'
import { checkFunction } from '../option-checks.ts'
import type { Registry } from '../registry.ts'

/** `name` is by default that of class and method: `Users.find`. */
export interface CircuitBreakerOptions extends BreakerOptions {
  /** The breaker is added to it when the method is first called. */
  readonly registry?: Registry
  /**
   * Answers, with the method's `this` and after the error with its arguments, in place of a call that failed, timed out or
   * was refused.
   */
  readonly fallback?: (this: never, error: unknown, ...args: never[]) => unknown
}

/** Of methods that give promises; by the standard, and as TypeScript's `experimentalDecorators` has them, which NestJS uses. */
export interface CircuitBreakerDecorator {
  <This, Args extends unknown[], T>(
    method: (this: This, ...args: Args) => Promise<T>,
    context: ClassMethodDecoratorContext<This, (this: This, ...args: Args) => Promise<T>>,
  ): (this: This, ...args: Args) => Promise<T>
  <Method extends (...args: never[]) => Promise<unknown>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void
}

/**
 * Puts a breaker before a method, one for all instances of its class. Inside of a call {@link currentCall} has its signal.
 * Metadata that other decorators give the method, as those of NestJS do, it keeps, in whatever order they stand.
 *
 * ```ts
 * class Users {
 *   @CircuitBreaker({ registry, timeout: '2s', fallback: (_error: unknown, id: string) => ({ id }) })
 *   find(id: string): Promise<User> { return get(`/users/${id}`, currentCall()?.signal) }
 * }
 * ```
 *
 * @throws InvalidOptionError naming the option, or where it is not before a method.
 */
export function CircuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreakerDecorator {
  const { registry, fallback, ...own } = options
  breakerSettings(own, false)
  if (fallback !== undefined) checkFunction('fallback', fallback)
  if (registry !== undefined && typeof registry?.add !== 'function')
    throw new InvalidOptionError(`registry must be a Registry, not ${shown(registry)}`)
  return (subject: unknown, place: unknown, descriptor: { value?: unknown } = {}): never => {
    // What comes back is of both kinds of decorators; that of TypeScript changes the descriptor and has none.
    if (isContext(place)) return new GuardedMethod(methodOf(subject), place.name, options).guarded() as never
    const method = new GuardedMethod(methodOf(descriptor.value), place, options, subject)
    descriptor.value = method.guarded()
    return undefined as never
  }
}

const current = new AsyncLocalStorage<CallContext>()

/** The call of a method with {@link CircuitBreaker} that this runs in; undefined outside of them. */
export function currentCall(): CallContext | undefined {
  return current.getStore()
}

type Method = (this: unknown, ...args: unknown[]) => unknown

class GuardedMethod {
  readonly #method: Method
  readonly #name: string
  readonly #options: CircuitBreakerOptions
  /** The prototype, or the class of a static method, where that is known beforehand. */
  readonly #target: unknown
  #breaker: Breaker | undefined

  constructor(method: Method, name: unknown, options: CircuitBreakerOptions, target?: unknown) {
    this.#method = method
    this.#name = String(name)
    this.#options = options
    this.#target = target
  }

  guarded(): Method {
    const call = (self: unknown, args: readonly unknown[]): Promise<unknown> => this.#call(self, args)
    const guarded: Method = function (...args) {
      return call(this, args)
    }
    const { name, length } = this.#method
    Object.defineProperties(guarded, { name: { value: name }, length: { value: length } })
    // Metadata of reflect-metadata is looked for along the prototypes.
    return Object.setPrototypeOf(guarded, this.#method)
  }

  #call(self: unknown, args: readonly unknown[]): Promise<unknown> {
    const { fallback } = this.#options
    const options: ExecuteOptions<unknown> =
      fallback === undefined
        ? {}
        : { fallback: (error): unknown => Reflect.apply(fallback, self, [error, ...args]) }
    return this.#breakerOf(self).execute(
      (context) => current.run(context, () => Reflect.apply(this.#method, self, args)),
      options,
    )
  }

  #breakerOf(self: unknown): Breaker {
    if (this.#breaker !== undefined) return this.#breaker
    const {
      registry,
      fallback: _,
      name = `${classOf(this.#target ?? self)}.${this.#name}`,
      ...own
    } = this.#options
    this.#breaker = new Breaker({ ...own, name })
    registry?.add(this.#breaker)
    return this.#breaker
  }
}

function isContext(place: unknown): place is { readonly name: unknown } {
  return typeof place === 'object' && place !== null && 'kind' in place && 'name' in place
}

function methodOf(method: unknown): Method {
  if (typeof method !== 'function')
    throw new InvalidOptionError(`@CircuitBreaker stands before a method, not ${shown(method)}`)
  return method as Method
}

function classOf(target: unknown): string {
  return String(typeof target === 'function' ? target.name : Object(target).constructor.name)
}
