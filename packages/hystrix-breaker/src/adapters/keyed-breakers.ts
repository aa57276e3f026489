import { Breaker } from '../breaker.ts'
import { type BreakerOptions, breakerSettings } from '../breaker-options.ts'
import { InvalidOptionError, shown } from '../errors.ts'
import { Registry } from '../registry.ts'

/** Options of a breaker whose name is its key. */
export type KeyedBreakerOptions = Omit<BreakerOptions, 'name'>

/** What all adapters have in common that have a breaker for each of many keys. */
export interface KeyedOptions {
  /** Keeps the breakers, and bounds them. Default: one of its own, of 1000. */
  readonly registry?: Registry
  /** Of each breaker, or by its key. */
  readonly options?: KeyedBreakerOptions | ((key: string) => KeyedBreakerOptions)
}

export const keyedOptionNames = ['registry', 'options'] as const

/** The breakers of an adapter, made when they are first asked for. */
export class KeyedBreakers {
  readonly registry: Registry
  readonly #optionsOf: (key: string) => KeyedBreakerOptions
  readonly #defaults: KeyedBreakerOptions

  /** @throws InvalidOptionError naming the option. */
  constructor({ registry = new Registry(), options = {} }: KeyedOptions, defaults: KeyedBreakerOptions = {}) {
    // Of another copy of this package, it is one as well.
    if (typeof registry?.getOrCreate !== 'function')
      throw new InvalidOptionError(`registry must be a Registry, not ${shown(registry)}`)
    this.registry = registry
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
