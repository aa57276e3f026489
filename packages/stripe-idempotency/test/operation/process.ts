import type { Clock, IdempotencyStore, TransactionalStore } from '@loadbearing/stripe-idempotency'
import type { VirtualClock } from '../virtual-clock.ts'

/** What befalls a process, at the n-th of the places where it waits for something. */
export interface Fate {
  /** It dies there; everything it has not yet done is never done. */
  readonly diesAt?: number
  /** It stands still there, for so many milliseconds, timers and all. */
  readonly stopsAt?: number
  readonly stopsFor?: number
}

/** A process as its store, its clock and its calls see it. */
export class Process {
  readonly clock: Clock
  readonly #time: VirtualClock
  readonly #fate: Fate
  readonly #died = Promise.withResolvers<never>()
  #dead = false
  #stoppedUntil = 0
  #places = 0

  constructor(time: VirtualClock, fate: Fate) {
    this.#time = time
    this.#fate = fate
    this.#died.promise.catch(() => {})
    this.clock = {
      now: () => time.now(),
      monotonic: () => time.monotonic(),
      setTimeout: (callback, delay) => this.#later(callback, delay),
      clearTimeout: (handle) => time.clearTimeout(handle),
    }
  }

  /** How many places it has passed. */
  get places(): number {
    return this.#places
  }

  get dead(): boolean {
    return this.#dead
  }

  /** A place where it may die or stand still. What has died never comes back from it. */
  async pass(): Promise<void> {
    const place = this.#places++
    if (place === this.#fate.diesAt) {
      this.#dead = true
      this.#died.reject(new Error('the process has died'))
    }
    if (place === this.#fate.stopsAt) this.#stoppedUntil = this.#time.now() + (this.#fate.stopsFor ?? 0)
    if (this.#stoppedUntil > this.#time.now()) {
      await new Promise<void>((resolve) =>
        this.#time.setTimeout(resolve, this.#stoppedUntil - this.#time.now()),
      )
    }
    // It may have died while it stood still.
    return this.#dead ? new Promise(() => {}) : undefined
  }

  /** The store, reached from this process: it may die before each call and after it. */
  reaching<Store extends IdempotencyStore>(store: Store): Store {
    return this.#around(store)
  }

  #around<Target extends object>(target: Target): Target {
    return new Proxy(target, {
      get: (_, name) => {
        const method: unknown = Reflect.get(target, name)
        if (typeof method !== 'function') return method
        if (name === 'isTransient') return method.bind(target)
        // A watch only ever hears of others.
        if (name === 'watch') return undefined
        if (name === 'within') {
          return (transaction: unknown): object =>
            this.#around(Object(Reflect.apply(method, target, [transaction])))
        }
        if (name === 'transaction') return (work: Work) => this.#transaction(target, work)
        return async (...given: unknown[]): Promise<unknown> => {
          await this.pass()
          const answer: unknown = await Reflect.apply(method, target, given)
          await this.pass()
          return answer
        }
      },
    })
  }

  /** The server rolls back what a connection had begun that is lost. */
  async #transaction(target: object, work: Work): Promise<unknown> {
    await this.pass()
    if (!isTransactional(target)) throw new Error('it has no transactions')
    let result: unknown
    try {
      result = await target.transaction(async (transaction) =>
        Promise.race([
          (async () => {
            const done = await work(transaction)
            await this.pass()
            return done
          })(),
          this.#died.promise,
        ]),
      )
    } catch (error) {
      if (this.#dead) return new Promise(() => {})
      throw error
    }
    await this.pass()
    return result
  }

  #later(callback: () => void, delay: number): unknown {
    const wait = Math.max(delay, this.#stoppedUntil - this.#time.now())
    return this.#time.setTimeout(() => {
      if (this.#dead) return
      if (this.#stoppedUntil > this.#time.now()) this.#later(callback, 0)
      else callback()
    }, wait)
  }
}

type Work = (transaction: unknown) => Promise<unknown>

function isTransactional(target: object): target is TransactionalStore<unknown> {
  return 'transaction' in target
}
