import { guard } from './events.ts'
import { MemoryCache } from './memory-cache.ts'
import type { CoalesceReset, Settings } from './options.ts'
import { clock } from './timers.ts'

export type LookUp = 'cacheHit' | 'cacheMiss' | 'coalesceCacheHit' | 'coalesceCacheMiss'

/** Results that are kept (`cache`), and executions under way that calls of the same key share (`coalesce`). */
export class KnownAnswers<TR> {
  readonly #options: Settings<never>
  readonly #lookedUp: (event: LookUp) => void
  readonly #shared: MemoryCache<Promise<TR>> | undefined

  constructor(options: Settings<never>, lookedUp: (event: LookUp) => void) {
    this.#options = options
    this.#lookedUp = lookedUp
    this.#shared = options.coalesce ? new MemoryCache(options.coalesceSize) : undefined
  }

  /** Whether a key is needed at all. */
  get keyed(): boolean {
    return this.#options.cacheTransport !== undefined || this.#shared !== undefined
  }

  find(key: string): Promise<TR> | undefined {
    const { cacheTransport } = this.#options
    if (cacheTransport !== undefined) {
      const cached = cacheTransport.get(key)
      this.#lookedUp(cached ? 'cacheHit' : 'cacheMiss')
      // What was kept under this key, which only results of the action are.
      if (cached) return Promise.resolve(cached as TR)
    }
    if (this.#shared === undefined) return undefined
    const shared = this.#shared.get(key)
    this.#lookedUp(shared ? 'coalesceCacheHit' : 'coalesceCacheMiss')
    return shared
  }

  share(key: string, promise: Promise<TR>): void {
    this.#shared?.set(key, promise, expiry(this.#options.coalesceTTL))
  }

  /** No longer shared, where `coalesceResetOn` has `on`; always without one. */
  unshare(key: string, on?: CoalesceReset): void {
    if (on === undefined || this.#options.coalesceResetOn.includes(on)) this.#shared?.delete(key)
  }

  keep(key: string, promise: Promise<TR>): void {
    guard(() => this.#options.cacheTransport?.set(key, promise, expiry(this.#options.cacheTTL)))
  }

  flush(): void {
    this.#options.cacheTransport?.flush()
    this.#shared?.flush()
  }
}

function expiry(ttl: number): number {
  return ttl > 0 ? clock.now() + ttl : 0
}
