import { ZanzibarError } from '../../errors.ts'
import type { Limits } from '../../limits.ts'
import type { StoreRecord, TupleStore } from '../../store/tuple-store.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import {
  createStoreRequest,
  deleteStoreRequest,
  getStoreRequest,
  store as listedStore,
  listStoresRequest,
  newStore,
  updateStoreRequest,
} from '../messages/data.ts'
import type { JsonObject } from '../protobuf-json/message.ts'
import { integerParameter, type Query, textParameter } from '../query.ts'
import { type Body, checked, readRequest } from '../request.ts'

export interface StoresApi {
  /** `POST /stores` */
  createStore(body: Body): Promise<JsonObject>
  /** `GET /stores/{store_id}` */
  getStore(storeId: string): Promise<JsonObject>
  /** `GET /stores` */
  listStores(query: Query): Promise<JsonObject>
  /** `PATCH /stores/{store_id}`: in OpenFGA's API, but neither there nor here is it implemented. */
  updateStore(storeId: string, body: Body): Promise<JsonObject>
  /** `DELETE /stores/{store_id}` */
  deleteStore(storeId: string): Promise<JsonObject>
}

export function storesApi(store: TupleStore, limits: Limits): StoresApi {
  return {
    createStore: async (body) => {
      const { name } = readRequest(createStoreRequest, body)
      return newStore.write(fieldsOf(await store.createStore(name)), true)
    },
    getStore: async (storeId) => {
      checked(getStoreRequest, { store_id: storeId })
      const found = await store.getStore(storeId)
      if (found === undefined) throw new ZanzibarError('store_id_not_found', 'Store ID not found')
      return storeJson(found)
    },
    listStores: async (query) => {
      const request = checked(listStoresRequest, {
        page_size: integerParameter(query, 'page_size'),
        continuation_token: textParameter(query, 'continuation_token'),
        name: textParameter(query, 'name'),
      })
      const cursor = readCursor('stores', request.continuation_token)
      const { items, next } = await store.listStores({
        limit: request.page_size ?? limits.defaultPageSize,
        after: cursor?.after,
        name: request.name === '' ? undefined : request.name,
      })
      return {
        stores: items.map(storeJson),
        continuation_token: next === undefined ? '' : writeCursor('stores', { after: next }),
      }
    },
    updateStore: async (storeId, body) => {
      readRequest(updateStoreRequest, body, { store_id: storeId })
      throw new ZanzibarError('unimplemented', 'method UpdateStore not implemented')
    },
    deleteStore: async (storeId) => {
      checked(deleteStoreRequest, { store_id: storeId })
      await store.deleteStore(storeId)
      return {}
    },
  }
}

function storeJson(record: StoreRecord): JsonObject {
  return listedStore.write({ ...fieldsOf(record), deleted_at: undefined }, true)
}

function fieldsOf({ id, name, createdAt, updatedAt }: StoreRecord): {
  id: string
  name: string
  created_at: number
  updated_at: number
} {
  return { id, name, created_at: createdAt, updated_at: updatedAt }
}
