import { signalFault } from '../abort-signal.ts'
import { checkInteger, checkNames } from '../option-checks.ts'
import { currentRequestScope, type RequestScope } from './request-scope.ts'
import { Shared } from './shared.ts'

export interface RequestCacheOptions {
  /** Answers kept for one request; above it the oldest goes. Default 1000. */
  readonly max?: number
}

/** What a call gets: its answer, and whether another call of the same request had asked before it. */
export interface CachedAnswer<T> {
  readonly answer: Promise<T>
  readonly cached: boolean
}

/**
 * One execution for each key and request. Answers, rejections too, are shared by all calls of one
 * {@link requestScope} that have the key; outside of a scope nothing is shared. Hystrix's HystrixRequestCache.
 */
export class RequestCache<T, K = string> {
  readonly #max: number
  readonly #scopes = new WeakMap<RequestScope, Map<K, Shared<T>>>()

  /** @throws InvalidOptionError naming the option. */
  constructor(options: RequestCacheOptions = {}) {
    checkNames('request cache', options, ['max'])
    this.#max = checkInteger('max', options.max ?? 1000, 1, 1_000_000)
  }

  /**
   * The answer under `key`; `start` is called where there is none. A caller whose `signal` is aborted gets its reason
   * and leaves the others alone. When the last one has left, the signal that `start` had is aborted and the key is free.
   */
  run(key: K, start: (signal: AbortSignal | undefined) => Promise<T>, signal?: AbortSignal): CachedAnswer<T> {
    const fault = signalFault(signal)
    if (fault !== undefined) return { answer: Promise.reject(fault), cached: false }
    const scope = currentRequestScope()
    if (scope === undefined) return { answer: start(signal), cached: false }
    const answers = this.#answers(scope)
    const known = answers.get(key)
    if (known !== undefined) return { answer: known.join(signal), cached: true }
    if (signal?.aborted === true) return { answer: Promise.reject(signal.reason), cached: false }
    const shared = new Shared(start, signal !== undefined, () => {
      if (answers.get(key) === shared) answers.delete(key)
    })
    const [oldest] = answers.keys()
    if (answers.size >= this.#max && oldest !== undefined) answers.delete(oldest)
    answers.set(key, shared)
    return { answer: shared.join(signal), cached: false }
  }

  /** Forgets the answer under `key` in this request. True where there was one. */
  clear(key: K): boolean {
    const scope = currentRequestScope()
    return scope !== undefined && this.#scopes.get(scope)?.delete(key) === true
  }

  #answers(scope: RequestScope): Map<K, Shared<T>> {
    let answers = this.#scopes.get(scope)
    if (answers === undefined) {
      answers = new Map()
      this.#scopes.set(scope, answers)
    }
    return answers
  }
}
