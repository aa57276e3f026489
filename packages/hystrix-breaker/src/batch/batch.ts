import { CallScope } from '../call-scope.ts'
import { untilAborted } from './until-aborted.ts'

/** An argument of a batch, for `map` to answer. What it leaves without an answer fails. */
export interface BatchRequest<K, V> {
  readonly id: K
  /** The first answer stands. */
  succeed(value: V): void
  fail(error: unknown): void
}

/** One argument, and all who wait for its answer. */
export class PendingRequest<K, V> implements BatchRequest<K, V> {
  readonly id: K
  answered = false
  batch: Batch<K, V>
  readonly #answer = Promise.withResolvers<V>()
  #waiting = 0

  constructor(id: K, batch: Batch<K, V>) {
    this.id = id
    this.batch = batch
  }

  succeed(value: V): void {
    this.answered = true
    this.#answer.resolve(value)
  }

  fail(error: unknown): void {
    this.answered = true
    this.#answer.reject(error)
  }

  join(signal: AbortSignal | undefined): Promise<V> {
    this.#waiting++
    if (signal === undefined) return this.#answer.promise
    return untilAborted(this.#answer.promise, signal, () => {
      this.#waiting--
      if (this.#waiting === 0 && !this.answered) this.batch.remove(this)
    })
  }
}

/** The requests that one load is to answer, or is answering. */
export class Batch<K, V> {
  /** Of the load. */
  readonly scope: CallScope = new CallScope(undefined)
  readonly #requests = new Map<K, PendingRequest<K, V>>()
  readonly #emptied: (batch: Batch<K, V>) => void

  /** `emptied` is told when the last caller of the last request has left. */
  constructor(emptied: (batch: Batch<K, V>) => void) {
    this.#emptied = emptied
  }

  get size(): number {
    return this.#requests.size
  }

  get requests(): readonly PendingRequest<K, V>[] {
    return [...this.#requests.values()]
  }

  get(id: K): PendingRequest<K, V> | undefined {
    return this.#requests.get(id)
  }

  add(request: PendingRequest<K, V>): void {
    request.batch = this
    this.#requests.set(request.id, request)
  }

  remove({ id }: PendingRequest<K, V>): void {
    this.#requests.delete(id)
    if (this.#requests.size === 0) this.#emptied(this)
  }

  /** Whoever has no answer yet gets `error`. */
  failRest(error: unknown): void {
    for (const request of this.#requests.values()) if (!request.answered) request.fail(error)
  }
}
