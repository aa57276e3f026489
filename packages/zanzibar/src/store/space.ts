import type { AuthorizationModel } from '../model/authorization-model.ts'
import type { TupleStore } from './tuple-store.ts'
import { canonicalJson } from './write-plan.ts'

/** The id of the store of that name, which is made where there is none. */
export async function spaceOf(store: TupleStore, name: string): Promise<string> {
  const { items } = await store.listStores({ name, limit: 1 })
  return (items[0] ?? (await store.createStore(name))).id
}

/** The id of that model, which is written where it is not the latest one. */
export async function modelOf(
  store: TupleStore,
  storeId: string,
  model: AuthorizationModel,
): Promise<string> {
  const latest = await store.readModel(storeId)
  if (latest !== undefined && canonicalJson({ ...latest.model }) === canonicalJson({ ...model }))
    return latest.id
  return await store.writeModel(storeId, model)
}
