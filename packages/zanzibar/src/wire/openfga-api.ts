import { compileCondition } from '../condition/condition.ts'
import { storeTokens } from '../consistency/token.ts'
import { Events, type ZanzibarEvent } from '../events.ts'
import { checkMethods, checkRecord, checkServing } from '../given-kinds.ts'
import type { ClosureIndexOptions } from '../leopard/closure-index.ts'
import { type Limits, openFgaLimits } from '../limits.ts'
import type { Semantics } from '../model/type-system.ts'
import { type Clock, realClock } from '../ports.ts'
import type { TupleStore } from '../store/tuple-store.ts'
import { resolvedModels } from './models.ts'
import { type AssertionsApi, assertionsApi } from './rpc/assertions.ts'
import { type ChecksApi, checksApi } from './rpc/checks.ts'
import { type ExpandApi, expandApi } from './rpc/expand.ts'
import { type ListObjectsApi, listObjectsApi } from './rpc/list-objects.ts'
import { type ListUsersApi, listUsersApi } from './rpc/list-users.ts'
import { type ModelsApi, modelsApi } from './rpc/models.ts'
import { type StoresApi, storesApi } from './rpc/stores.ts'
import { type TuplesApi, tuplesApi } from './rpc/tuples.ts'

/** Options of {@link openFgaApi}. */
export interface OpenFgaApiOptions {
  readonly store: TupleStore
  /** What is not given is as in OpenFGA. */
  readonly limits?: Partial<Limits>
  readonly clock?: Clock
  /** Default: `openfga-v1`. */
  readonly semantics?: Semantics
  /**
   * Whether an index is kept in memory of how tuples nest, for each model that is asked (see `closureIndex` of `openZanzibar`).
   * It comes up behind the first questions. Default: false.
   */
  readonly closureIndex?: boolean | ClosureIndexOptions
  /** Is told of every question, and when a closure index is given up. */
  readonly onEvent?: (event: ZanzibarEvent) => void
}

/**
 * The calls of OpenFGA's HTTP API. A body is JSON, as a text, as bytes or as a value; an answer is what the HTTP API would
 * have as its body, empty fields included.
 *
 * All throw ZanzibarError with OpenFGA's code, number and message.
 */
export interface OpenFgaApi
  extends StoresApi,
    ModelsApi,
    TuplesApi,
    AssertionsApi,
    ChecksApi,
    ExpandApi,
    ListObjectsApi,
    ListUsersApi {}

/** @throws ZanzibarError `invalid_option` */
export function openFgaApi(options: OpenFgaApiOptions): OpenFgaApi {
  checkRecord('options', options)
  checkMethods('store', options.store, ['listStores', 'snapshot', 'changed'])
  checkServing(options)
  const { store, limits: given = {}, clock = realClock, semantics, closureIndex, onEvent } = options
  const limits: Limits = { ...openFgaLimits, ...given }
  const events = new Events(onEvent, clock)
  const models = resolvedModels(store, compileCondition, semantics, { closureIndex, events })
  const asked = { store, models, tokensOf: storeTokens(store.identity), limits, clock, events }
  return {
    ...storesApi(store, limits),
    ...modelsApi(store, limits, semantics),
    ...tuplesApi(asked),
    ...assertionsApi(store, limits, models),
    ...checksApi(asked),
    ...expandApi(asked),
    ...listObjectsApi(asked),
    ...listUsersApi(asked),
  }
}
