import { RequestCache } from './batch/request-cache.ts'
import type { Breaker, Execution } from './breaker.ts'
import type { CallEvent } from './metrics/call-event.ts'

/** How a call that is over ended; kept for the rest of its request. */
type Ended<T> =
  | { readonly events: readonly CallEvent[]; readonly value: T }
  | { readonly events: readonly CallEvent[]; readonly error: unknown }

/**
 * One execution of a guarded function for each key and request. The calls after the first repeat its answer and its
 * events, and add RESPONSE_FROM_CACHE; of theirs, only that one is counted.
 */
export class CachedCalls<T> {
  readonly #breaker: Breaker
  readonly #cache = new RequestCache<Ended<T>>()

  constructor(breaker: Breaker) {
    this.#breaker = breaker
  }

  /** `execute` is called where nobody in this request has asked for the key yet; undefined shares nothing. */
  start(
    key: string | undefined,
    execute: (signal: AbortSignal | undefined) => Execution<T>,
    signal: AbortSignal | undefined,
  ): Execution<T> {
    if (key === undefined) return execute(signal)
    let own: Execution<T> | undefined
    let ended: Ended<T> | undefined
    const first = (shared: AbortSignal | undefined): Promise<Ended<T>> => {
      own = execute(shared)
      return end(own)
    }
    const { answer, cached } = this.#cache.run(key, first, signal)
    const told = async (): Promise<T> => {
      ended = await answer
      if (cached) {
        ended = { ...ended, events: [...ended.events, 'RESPONSE_FROM_CACHE'] }
        this.#breaker.answeredFromCache(ended)
      }
      if ('error' in ended) throw ended.error
      return ended.value
    }
    return {
      answer: told(),
      get events() {
        return ended?.events ?? own?.events ?? []
      },
    }
  }

  clear(key: string): boolean {
    return this.#cache.clear(key)
  }
}

async function end<T>(execution: Execution<T>): Promise<Ended<T>> {
  try {
    const value = await execution.answer
    return { events: execution.events, value }
  } catch (error) {
    return { events: execution.events, error }
  }
}
