import type { CallContext } from '../call.ts'
import { InvalidOptionError, shown } from '../errors.ts'
import {
  checkClock,
  checkDuration,
  checkFlag,
  checkInteger,
  checkNames,
  type Duration,
} from '../option-checks.ts'
import { type Clock, realClock } from '../ports.ts'
import type { BatchRequest } from './batch.ts'

export interface CollapsingOptions<K> {
  /** For messages, metrics and the stream. Default `collapser`. */
  readonly name?: string
  /** How long the first request waits for others. Default 10 ms. */
  readonly window?: Duration
  /** Requests of a batch; with so many it starts at once. Default 1000. */
  readonly max?: number
  /**
   * Whether requests with the same argument share an answer: those of a batch, and all of a {@link requestScope}.
   * Without it the second one of a batch fails. Default true.
   */
  readonly cache?: boolean
  /**
   * Whose requests come together: those of one {@link requestScope}, or all. Outside of a request scope all come
   * together either way. Default `request`.
   */
  readonly scope?: 'request' | 'global'
  /** Requests of a batch with different shards are loaded apart. Default: one load. */
  readonly shards?: (id: K) => unknown
  /** Default: real time. */
  readonly clock?: Clock
}

/** The answers in the order of the ids, or by id. An Error is that id's failure, undefined no answer. */
export type BatchAnswers<K, V> = readonly (V | Error | undefined)[] | ReadonlyMap<K, V | Error | undefined>

export interface CollapserOptions<K, V> extends CollapsingOptions<K> {
  /** Answers a batch. Its signal is aborted when all callers have left, or the collapser is disposed of. */
  readonly load: (ids: K[], context: CallContext) => BatchAnswers<K, V> | PromiseLike<BatchAnswers<K, V>>
}

export interface MappedCollapserOptions<K, V, R> extends CollapsingOptions<K> {
  /** Fetches what answers a batch. Its signal is aborted when all callers have left, or the collapser is disposed of. */
  readonly load: (ids: K[], context: CallContext) => R | PromiseLike<R>
  /** Answers the requests from what was loaded. Where it throws, the requests that it had answered keep their answers. */
  readonly map: (response: R, requests: readonly BatchRequest<K, V>[]) => void
}

/** Options checked, with their defaults. */
export interface CollapserSettings<K> {
  readonly name: string
  readonly window: number
  readonly max: number
  readonly cache: boolean
  readonly scope: 'request' | 'global'
  readonly shards: ((id: K) => unknown) | undefined
  readonly clock: Clock
}

/** @throws InvalidOptionError naming the option. */
export function collapserSettings<K>(
  options: CollapsingOptions<K> & { load: unknown },
): CollapserSettings<K> {
  checkNames('collapser', options, [
    'name',
    'window',
    'max',
    'cache',
    'scope',
    'shards',
    'clock',
    'load',
    'map',
  ])
  const { name = 'collapser', scope = 'request', shards, load } = options
  if (typeof name !== 'string') throw new InvalidOptionError(`name must be a text, not ${shown(name)}`)
  if (scope !== 'request' && scope !== 'global')
    throw new InvalidOptionError(`scope must be 'request' or 'global', not ${shown(scope)}`)
  if (typeof load !== 'function') throw new InvalidOptionError(`load must be a function, not ${shown(load)}`)
  if (shards !== undefined && typeof shards !== 'function')
    throw new InvalidOptionError(`shards must be a function, not ${shown(shards)}`)
  if ('map' in options && typeof options.map !== 'function')
    throw new InvalidOptionError(`map must be a function, not ${shown(options.map)}`)
  return {
    name,
    window: checkDuration('window', options.window ?? 10),
    max: checkInteger('max', options.max ?? 1000, 1, 2 ** 31 - 1),
    cache: checkFlag('cache', options.cache ?? true),
    scope,
    shards,
    clock: checkClock(options.clock ?? realClock),
  }
}
