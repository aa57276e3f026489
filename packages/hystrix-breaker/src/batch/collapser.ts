import { signalFault } from '../abort-signal.ts'
import type { CallOptions } from '../call.ts'
import type { CallScope } from '../call-scope.ts'
import { ResilienceError, shown } from '../errors.ts'
import { keepAlive } from '../ports.ts'
import { Batch, PendingRequest } from './batch.ts'
import { CollapserMetrics } from './collapser-metrics.ts'
import {
  type BatchAnswers,
  type CollapserOptions,
  type CollapserSettings,
  collapserSettings,
  type MappedCollapserOptions,
} from './collapser-options.ts'
import { RequestCache } from './request-cache.ts'
import { currentRequestScope, insideRequestScope, type RequestScope } from './request-scope.ts'

/** A function of one id whose calls are answered in batches. */
export interface Collapser<K, V> extends AsyncDisposable {
  (id: K, options?: CallOptions): Promise<V>
  /** What the stream shows of it; `registry.addCollapser(getUser.metrics)`. */
  readonly metrics: CollapserMetrics
  /** Forgets the answer of `id` in the caller's request scope. True where there was one. */
  clear(id: K): boolean
}

/**
 * Collects calls for `window` from the first on, or until there are `max`, and answers them by one `load`.
 *
 * A call fails with what `load` or `map` throws; with `NO_RESPONSE` where its id had no answer; with `DUPLICATE_ARGUMENT`
 * where `cache` is false and its id is in the batch already; with `DISPOSED` after disposal; with the reason of its
 * `signal`. An id that all its callers gave up before the start is left out, and a batch without ids is not loaded.
 *
 * Hystrix's HystrixCollapser; here the wait begins with the first request, and is not what is left of a tick.
 *
 * @throws InvalidOptionError naming the option.
 */
export function collapser<K, V>(options: CollapserOptions<K, V>): Collapser<K, V>
export function collapser<K, V, R>(options: MappedCollapserOptions<K, V, R>): Collapser<K, V>
export function collapser<K, V, R>(
  options: CollapserOptions<K, V> | MappedCollapserOptions<K, V, R>,
): Collapser<K, V> {
  const settings = collapserSettings<K>(options)
  const own = new Batches<K, V>(
    settings,
    'map' in options ? mapped(options) : matched(settings.name, options),
  )
  return Object.assign((id: K, call?: CallOptions) => own.call(id, call?.signal), {
    metrics: own.metrics,
    clear: (id: K) => own.cache.clear(id),
    [Symbol.asyncDispose]: () => own.dispose(),
  })
}

/** Loads a batch and answers its requests; what it leaves open has no answer. */
type Answer<K, V> = (batch: Batch<K, V>) => Promise<void>

class Batches<K, V> {
  readonly metrics: CollapserMetrics
  readonly cache = new RequestCache<V, K>()
  readonly #settings: CollapserSettings<K>
  readonly #answer: Answer<K, V>
  readonly #open = new Map<
    RequestScope | undefined,
    { readonly batch: Batch<K, V>; readonly timer: unknown }
  >()
  readonly #loading = new Set<Batch<K, V>>()
  #disposed = false

  constructor(settings: CollapserSettings<K>, answer: Answer<K, V>) {
    this.#settings = settings
    this.#answer = answer
    const { name, max, window, cache, clock } = settings
    this.metrics = new CollapserMetrics(name, { max, window, cache }, clock)
  }

  call(id: K, signal: AbortSignal | undefined): Promise<V> {
    if (this.#disposed)
      return Promise.reject(this.#error('DISPOSED', 'Submitting requests after collapser is shutdown'))
    const fault = signalFault(signal)
    if (fault !== undefined) return Promise.reject(fault)
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    if (!this.#settings.cache) return this.#submit(id, signal)
    const { answer, cached } = this.cache.run(id, (shared) => this.#submit(id, shared), signal)
    if (cached) this.metrics.cached()
    return answer
  }

  async dispose(): Promise<void> {
    this.#disposed = true
    for (const { batch, timer } of this.#open.values()) {
      this.#settings.clock.clearTimeout(timer)
      batch.failRest(this.#error('DISPOSED', 'Requests not executed before shutdown.'))
    }
    this.#open.clear()
    for (const batch of this.#loading) {
      const error = this.#error('DISPOSED', 'the collapser was shut down while the batch was loaded')
      batch.scope.abort(error)
      batch.failRest(error)
    }
  }

  #submit(id: K, signal: AbortSignal | undefined): Promise<V> {
    const scope = this.#settings.scope === 'global' ? undefined : currentRequestScope()
    const batch = this.#open.get(scope)?.batch ?? this.#begin(scope)
    const same = batch.get(id)
    if (same === undefined) {
      const request = new PendingRequest<K, V>(id, batch)
      batch.add(request)
      const answer = request.join(signal)
      if (batch.size >= this.#settings.max) this.#start(scope)
      return answer
    }
    if (!this.#settings.cache)
      return Promise.reject(
        this.#error(
          'DUPLICATE_ARGUMENT',
          `Duplicate argument in collapser batch : [${shown(id)}]: set cache, or ask for it once`,
        ),
      )
    this.metrics.cached()
    return same.join(signal)
  }

  #begin(scope: RequestScope | undefined): Batch<K, V> {
    const { clock, window } = this.#settings
    const timer = clock.setTimeout(() => this.#start(scope), window)
    keepAlive(timer)
    const batch = new Batch<K, V>(() => {
      clock.clearTimeout(timer)
      this.#open.delete(scope)
    })
    this.#open.set(scope, { batch, timer })
    return batch
  }

  #start(scope: RequestScope | undefined): void {
    const open = this.#open.get(scope)
    if (open === undefined) return
    this.#open.delete(scope)
    this.#settings.clock.clearTimeout(open.timer)
    // The timer runs in the scope of the first request; a batch of several requests belongs to none of them.
    insideRequestScope(scope, () => {
      for (const batch of this.#sharded(open.batch)) void this.#load(batch)
    })
  }

  #sharded(batch: Batch<K, V>): Iterable<Batch<K, V>> {
    const shards = new Map<unknown, Batch<K, V>>()
    for (const request of batch.requests) {
      let shard: unknown
      try {
        shard = this.#settings.shards?.(request.id)
      } catch (error) {
        request.fail(error)
        continue
      }
      const part = shards.get(shard) ?? new Batch<K, V>(abandon)
      shards.set(shard, part)
      part.add(request)
    }
    return shards.values()
  }

  async #load(batch: Batch<K, V>): Promise<void> {
    this.#loading.add(batch)
    this.metrics.batch(batch.size)
    try {
      await this.#answer(batch)
      for (const request of batch.requests) if (!request.answered) request.fail(this.#noResponse(request.id))
    } catch (error) {
      batch.failRest(error)
    } finally {
      this.#loading.delete(batch)
    }
  }

  #noResponse(id: K): ResilienceError {
    const { name } = this.#settings
    return this.#error(
      'NO_RESPONSE',
      `No response set by ${name} 'mapResponseToRequests' implementation. The id without one: ${shown(id)}`,
    )
  }

  #error(code: 'DISPOSED' | 'DUPLICATE_ARGUMENT' | 'NO_RESPONSE', message: string): ResilienceError {
    return new ResilienceError(code, `${this.#settings.name}: ${message}`)
  }
}

function abandon({ scope }: { readonly scope: CallScope }): void {
  scope.abort(new DOMException('every caller has left', 'AbortError'))
}

function mapped<K, V, R>({ load, map }: MappedCollapserOptions<K, V, R>): Answer<K, V> {
  return async (batch) => {
    const requests = batch.requests
    map(await load(idsOf(requests), batch.scope), requests)
  }
}

function matched<K, V>(name: string, { load }: CollapserOptions<K, V>): Answer<K, V> {
  return async (batch) => {
    const requests = batch.requests
    const answers = await load(idsOf(requests), batch.scope)
    const answerOf = reader(name, answers, requests.length)
    requests.forEach((request, at) => {
      const answer = answerOf(request.id, at)
      if (answer instanceof Error) request.fail(answer)
      else if (answer !== undefined) request.succeed(answer)
    })
  }
}

function idsOf<K>(requests: readonly { readonly id: K }[]): K[] {
  return requests.map(({ id }) => id)
}

function reader<K, V>(
  name: string,
  answers: BatchAnswers<K, V>,
  count: number,
): (id: K, at: number) => V | Error | undefined {
  if (isList(answers)) {
    if (answers.length === count) return (_, at) => answers[at]
    throw new ResilienceError(
      'NO_RESPONSE',
      `${name}: load gave ${answers.length} answers for ${count} ids: give one for each id in order, undefined where there is none, or a Map by id`,
    )
  }
  if (answers instanceof Map) return (id) => answers.get(id)
  throw new ResilienceError(
    'NO_RESPONSE',
    `${name}: load must give an array of answers or a Map by id, or have map beside it, but it gave ${shown(answers)}`,
  )
}

function isList<K, V>(answers: BatchAnswers<K, V>): answers is readonly (V | Error | undefined)[] {
  return Array.isArray(answers)
}
