import { Breaker } from '../breaker.ts'
import { type BreakerOptions, breakerSettings } from '../breaker-options.ts'
import { InvalidOptionError, shown } from '../errors.ts'
import { checkFunction } from '../option-checks.ts'
import { Registry } from '../registry.ts'

/** Options of a breaker whose name is its key. */
export type KeyedBreakerOptions = Omit<BreakerOptions, 'name'>

/** What the adapters for HTTP have in common. */
export interface HttpBreakerOptions {
  /** Keeps the breakers, and bounds them. Default: one of its own, of 1000. */
  readonly registry?: Registry
  /** Of each breaker, or by its key. */
  readonly options?: KeyedBreakerOptions | ((key: string) => KeyedBreakerOptions)
  /** Statuses of answers that count as failed. Default: 500 and above. */
  readonly isFailureStatus?: (status: number) => boolean
}

export const httpOptionNames = ['registry', 'options', 'isFailureStatus'] as const

/** An answer that counted as failed because of its status. Its receiver has the answer; this is for events. */
export class FailureStatusError extends Error {
  override readonly name: string = 'FailureStatusError'
  readonly status: number

  constructor(key: string, status: number) {
    super(`${key} answered ${status}`)
    this.status = status
  }
}

/** The breakers of an adapter, made when they are first asked for. */
export class HttpBreakers {
  readonly registry: Registry
  readonly isFailureStatus: (status: number) => boolean
  readonly #optionsOf: (key: string) => KeyedBreakerOptions
  readonly #defaults: KeyedBreakerOptions

  /** @throws InvalidOptionError naming the option. */
  constructor(
    {
      registry = new Registry(),
      options = {},
      isFailureStatus = (status) => status >= 500,
    }: HttpBreakerOptions,
    defaults: KeyedBreakerOptions = {},
  ) {
    // Of another copy of this package, it is one as well.
    if (typeof registry?.getOrCreate !== 'function')
      throw new InvalidOptionError(`registry must be a Registry, not ${shown(registry)}`)
    this.registry = registry
    this.isFailureStatus = checkFunction('isFailureStatus', isFailureStatus)
    this.#defaults = defaults
    this.#optionsOf = typeof options === 'function' ? options : () => options
    if (typeof options !== 'function') this.check('options', options)
  }

  /** @throws InvalidOptionError where a breaker could not be made of them. */
  check(name: string, options: unknown): asserts options is KeyedBreakerOptions {
    if (options === null || typeof options !== 'object')
      throw new InvalidOptionError(`${name} must be an object, not ${shown(options)}`)
    if ('name' in options)
      throw new InvalidOptionError(`${name}.name cannot be given: the key of a breaker is its name`)
    breakerSettings({ ...this.#defaults, ...options }, false)
  }

  /** `own` stand before the options of all. */
  of(key: string, own?: KeyedBreakerOptions): Breaker {
    return this.registry.getOrCreate(
      key,
      (name) => new Breaker({ ...this.#defaults, ...this.#optionsOf(key), ...own, name }),
    )
  }
}
