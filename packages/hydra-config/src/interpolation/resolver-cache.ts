import type { Call } from './call.ts'

/** The answers of resolvers with `useCache`, by name and by the arguments as they are written. */
export class ResolverCache {
  readonly #calls: Map<string, Call>

  constructor(calls: Iterable<readonly [string, Call]> = []) {
    this.#calls = new Map(calls)
  }

  /** One of its own that begins with the same answers, as a job of a sweep has it. */
  copy(): ResolverCache {
    return new ResolverCache(this.#calls)
  }

  get(name: string, sources: readonly string[]): Call | undefined {
    return this.#calls.get(keyOf(name, sources))
  }

  set(name: string, sources: readonly string[], call: Call): void {
    this.#calls.set(keyOf(name, sources), call)
  }

  delete(name: string, sources: readonly string[]): void {
    this.#calls.delete(keyOf(name, sources))
  }
}

function keyOf(name: string, sources: readonly string[]): string {
  return JSON.stringify([name, ...sources])
}
