import { clock } from './timers.ts'

/** Where results are kept. `get` answers undefined, or anything falsy, for what it has not. */
export interface CacheTransport {
  get(key: string): unknown
  /** `expiresAt`: milliseconds since 1970-01-01 UTC; 0 for never. */
  set(key: string, value: unknown, expiresAt: number): void
  flush(): void
}

interface Entry<V> {
  readonly value: V
  readonly expiresAt: number
}

/** The most that a Map holds. */
export const cacheSizeMax: number = 2 ** 24 - 1

/** Up to `maxEntries`; then the one that was set first goes. */
export class MemoryCache<V = unknown> {
  readonly cache: Map<string, Entry<V>> = new Map()
  readonly maxEntries: number
  // One for all: each new one would look through what was deleted since the Map last grew.
  #oldest = this.cache.keys()

  constructor(maxEntries: number = cacheSizeMax) {
    this.maxEntries = maxEntries
  }

  get(key: string): V | undefined {
    const entry = this.cache.get(key)
    if (entry === undefined) return undefined
    if (entry.expiresAt === 0 || entry.expiresAt > clock.now()) return entry.value
    this.cache.delete(key)
    return undefined
  }

  set(key: string, value: V, expiresAt = 0): void {
    if (this.cache.size >= this.maxEntries && !this.cache.has(key)) this.#evict()
    this.cache.set(key, { value, expiresAt })
  }

  delete(key: string): void {
    this.cache.delete(key)
  }

  flush(): void {
    this.cache.clear()
  }

  // What it has passed has been deleted, and what is set anew comes behind it.
  #evict(): void {
    let next = this.#oldest.next()
    if (next.done === true) {
      this.#oldest = this.cache.keys()
      next = this.#oldest.next()
    }
    if (next.done !== true) this.cache.delete(next.value)
  }
}
