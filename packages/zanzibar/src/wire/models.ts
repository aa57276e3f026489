import { ZanzibarError } from '../errors.ts'
import type { Events } from '../events.ts'
import { checkedSemantics } from '../graph/weighted.ts'
import { type ClosureIndex, type ClosureIndexOptions, closureIndexOf } from '../leopard/closure-index.ts'
import type { AuthorizationModel } from '../model/authorization-model.ts'
import { type Semantics, type TypeSystem, typeSystem } from '../model/type-system.ts'
import type { StoredModel, TupleStore } from '../store/tuple-store.ts'

/** A model that is ready to be asked. */
export interface ResolvedModel {
  readonly id: string
  readonly types: TypeSystem
  readonly index: ClosureIndex | undefined
}

/** Finds the models of stores. */
export interface Models {
  /**
   * The model of that id; the one written last, for an empty id.
   *
   * @throws ZanzibarError `authorization_model_not_found`, `latest_authorization_model_not_found`,
   *   `invalid_authorization_model` for one that the semantics do not take
   */
  resolve(storeId: string, modelId: string): Promise<ResolvedModel>
  /** The same where it is ready; for an empty id, the one that was the latest when that was last asked. */
  ready(storeId: string, modelId: string): ResolvedModel | undefined
}

/** Models that are kept ready; models never change. */
const keptModels = 100

interface IndexOptions {
  readonly closureIndex: boolean | ClosureIndexOptions | undefined
  /** Where it is told that an index was given up. */
  readonly events: Events
}

/** `compile` as {@link typeSystem} takes it. */
export function resolvedModels(
  store: TupleStore,
  compile: Parameters<typeof typeSystem>[1],
  semantics: Semantics | undefined,
  { closureIndex, events }: IndexOptions,
): Models {
  const ready = new Map<string, ResolvedModel>()
  /** The ids of the models of {@link ready} that were the latest, by store. */
  const latest = new Map<string, string>()

  function keep(storeId: string, { id, model }: StoredModel): ResolvedModel {
    const key = storeId + id
    const found = ready.get(key)
    // What was asked for last stands last.
    ready.delete(key)
    const resolved = found ?? resolve(storeId, id, model)
    ready.set(key, resolved)
    const [oldest] = ready
    if (ready.size > keptModels && oldest !== undefined) {
      const [oldestKey, { id: oldestId, index }] = oldest
      index?.close()
      ready.delete(oldestKey)
      const oldestStore = oldestKey.slice(0, -oldestId.length)
      if (latest.get(oldestStore) === oldestId) latest.delete(oldestStore)
    }
    return resolved
  }

  function resolve(storeId: string, id: string, model: AuthorizationModel): ResolvedModel {
    const types = checkedSemantics(typeSystem(model, compile, semantics))
    const onTooLarge = (entries: number, maxEntries: number): void =>
      events.tell({ type: 'index-off', storeId, entries, maxEntries })
    return { id, types, index: closureIndexOf(closureIndex, { store, storeId, types, onTooLarge }) }
  }

  return {
    resolve: async (storeId, modelId) => {
      const found = ready.get(storeId + modelId)
      if (found !== undefined) return found
      const stored = await store.readModel(storeId, modelId === '' ? undefined : modelId).catch(unlessNoStore)
      if (stored !== undefined) {
        const resolved = keep(storeId, stored)
        if (modelId === '') latest.set(storeId, stored.id)
        return resolved
      }
      throw modelId === '' ? noModels(storeId) : noModel(modelId)
    },
    ready: (storeId, modelId) =>
      ready.get(storeId + (modelId === '' ? (latest.get(storeId) ?? '') : modelId)),
  }
}

export function noModel(modelId: string): ZanzibarError {
  return new ZanzibarError('authorization_model_not_found', `Authorization Model '${modelId}' not found`)
}

export function noModels(storeId: string): ZanzibarError {
  return new ZanzibarError(
    'latest_authorization_model_not_found',
    `No authorization models found for store '${storeId}'`,
  )
}

/** OpenFGA does not tell a store that is not there from an empty one. */
export function unlessNoStore(error: unknown): undefined {
  if (error instanceof ZanzibarError && error.code === 'store_id_not_found') return undefined
  throw error
}
