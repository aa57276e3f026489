import type { Context } from '../../tuple/tuple.ts'
import * as patterns from '../patterns.ts'
import { list } from '../protobuf-json/collections.ts'
import { embedded, type Message, message } from '../protobuf-json/message.ts'
import { bool, optionalInt32, string } from '../protobuf-json/scalars.ts'
import { struct, timestamp } from '../protobuf-json/well-known.ts'
import { consistency, modelId, storeId } from './questions.ts'
import {
  type TupleChangeMessage,
  type TupleKeyMessage,
  type TupleKeyWithoutConditionMessage,
  type TupleMessage,
  tuple,
  tupleChange,
  tupleKey,
  tupleKeyWithoutCondition,
} from './tuples.ts'

// What stores, changes and reads tuples and assertions, of `openfga/api:openfga/v1/openfga_service.proto`.

const pageSize = optionalInt32({ min: 1, max: 100 })
const continuationToken = string({ maxBytes: 5120, pattern: patterns.continuationToken })

export interface CreateStoreRequest {
  readonly name: string
}
const createStoreFields = { name: string({ pattern: patterns.storeName }) }
export const createStoreRequest: Message<CreateStoreRequest> = message(
  'CreateStoreRequest',
  createStoreFields,
)

export interface GetStoreRequest {
  readonly store_id: string
}
const storeRequestFields = { store_id: storeId }
export const getStoreRequest: Message<GetStoreRequest> = message('GetStoreRequest', storeRequestFields)
export const deleteStoreRequest: Message<GetStoreRequest> = message('DeleteStoreRequest', storeRequestFields)
export interface UpdateStoreRequest {
  readonly store_id: string
  readonly name: string
}
const updateStoreFields = { store_id: storeId, name: string({ pattern: patterns.storeName }) }
export const updateStoreRequest: Message<UpdateStoreRequest> = message(
  'UpdateStoreRequest',
  updateStoreFields,
)

export interface ListStoresRequest {
  readonly page_size: number | undefined
  readonly continuation_token: string
  readonly name: string
}
const listStoresFields = {
  page_size: pageSize,
  continuation_token: continuationToken,
  name: string({ pattern: patterns.storeName, mayBeEmpty: true }),
}
export const listStoresRequest: Message<ListStoresRequest> = message('ListStoresRequest', listStoresFields)

export interface CreateStoreResponse {
  readonly id: string
  readonly name: string
  readonly created_at: number | undefined
  readonly updated_at: number | undefined
}
const storeFields = {
  id: string(),
  name: string(),
  created_at: timestamp(),
  updated_at: timestamp(),
}
export const newStore: Message<CreateStoreResponse> = message('CreateStoreResponse', storeFields)
export interface StoreMessage extends CreateStoreResponse {
  readonly deleted_at: number | undefined
}
const listedStoreFields = { ...storeFields, deleted_at: timestamp() }
export const store: Message<StoreMessage> = message('Store', listedStoreFields)

interface ReadRequestTupleKeyMessage {
  readonly user: string
  readonly relation: string
  readonly object: string
}
const readTupleKeyFields = {
  user: string({ maxBytes: 512, pattern: patterns.readUser, mayBeEmpty: true }),
  relation: string({ pattern: patterns.relation, mayBeEmpty: true }),
  object: string({ pattern: patterns.object, mayBeEmpty: true }),
}
const readTupleKey: Message<ReadRequestTupleKeyMessage> = message('ReadRequestTupleKey', readTupleKeyFields)

const readFields = {
  store_id: storeId,
  tuple_key: embedded(() => readTupleKey),
  page_size: pageSize,
  continuation_token: continuationToken,
  consistency,
}
export interface ReadRequest {
  readonly store_id: string
  readonly tuple_key: ReadRequestTupleKeyMessage | undefined
  readonly page_size: number | undefined
  readonly continuation_token: string
  readonly consistency: number
}
export const readRequest: Message<ReadRequest> = message('ReadRequest', readFields)
export interface ReadResponse {
  readonly tuples: readonly TupleMessage[]
  readonly continuation_token: string
}
const readResponseFields = { tuples: list(() => tuple), continuation_token: string() }
export const readResponse: Message<ReadResponse> = message('ReadResponse', readResponseFields)

interface WriteRequestWritesMessage {
  readonly tuple_keys: readonly TupleKeyMessage[]
  readonly on_duplicate: string
}
const writesFields = { tuple_keys: list(() => tupleKey, { min: 1 }), on_duplicate: string() }
const writes: Message<WriteRequestWritesMessage> = message('WriteRequestWrites', writesFields)
interface WriteRequestDeletesMessage {
  readonly tuple_keys: readonly TupleKeyWithoutConditionMessage[]
  readonly on_missing: string
}
const deletesFields = { tuple_keys: list(() => tupleKeyWithoutCondition, { min: 1 }), on_missing: string() }
const deletes: Message<WriteRequestDeletesMessage> = message('WriteRequestDeletes', deletesFields)

const writeFields = {
  store_id: storeId,
  writes: embedded(() => writes),
  deletes: embedded(() => deletes),
  authorization_model_id: modelId,
}
export interface WriteRequestMessage {
  readonly store_id: string
  readonly writes: WriteRequestWritesMessage | undefined
  readonly deletes: WriteRequestDeletesMessage | undefined
  readonly authorization_model_id: string
}
export const writeRequest: Message<WriteRequestMessage> = message('WriteRequest', writeFields)

const readChangesFields = {
  store_id: storeId,
  type: string({ pattern: patterns.changedType, mayBeEmpty: true }),
  page_size: optionalInt32({ min: 1 }),
  continuation_token: continuationToken,
  start_time: timestamp(),
}
export interface ReadChangesRequest {
  readonly store_id: string
  readonly type: string
  readonly page_size: number | undefined
  readonly continuation_token: string
  readonly start_time: number | undefined
}
export const readChangesRequest: Message<ReadChangesRequest> = message(
  'ReadChangesRequest',
  readChangesFields,
)
export interface ReadChangesResponse {
  readonly changes: readonly TupleChangeMessage[]
  readonly continuation_token: string
}
const readChangesResponseFields = { changes: list(() => tupleChange), continuation_token: string() }
export const readChangesResponse: Message<ReadChangesResponse> = message(
  'ReadChangesResponse',
  readChangesResponseFields,
)

interface AssertionTupleKeyMessage {
  readonly object: string
  readonly relation: string
  readonly user: string
}
const assertionTupleKeyFields = {
  object: string({ pattern: patterns.object }),
  relation: string({ pattern: patterns.relation }),
  user: string({ pattern: patterns.user }),
}
const assertionTupleKey: Message<AssertionTupleKeyMessage> = message(
  'AssertionTupleKey',
  assertionTupleKeyFields,
)
const assertionFields = {
  tuple_key: embedded(() => assertionTupleKey, { required: true }),
  expectation: bool(),
  contextual_tuples: list(() => tupleKey, { max: 20 }),
  context: struct(),
}
export interface AssertionMessage {
  readonly tuple_key: AssertionTupleKeyMessage | undefined
  readonly expectation: boolean
  readonly contextual_tuples: readonly TupleKeyMessage[]
  readonly context: Context | undefined
}
export const assertion: Message<AssertionMessage> = message('Assertion', assertionFields)

const assertionsModelId = string({ pattern: patterns.ulid })
const writeAssertionsFields = {
  store_id: storeId,
  authorization_model_id: assertionsModelId,
  assertions: list(() => assertion, { max: 100 }),
}
export interface WriteAssertionsRequest {
  readonly store_id: string
  readonly authorization_model_id: string
  readonly assertions: readonly AssertionMessage[]
}
export const writeAssertionsRequest: Message<WriteAssertionsRequest> = message(
  'WriteAssertionsRequest',
  writeAssertionsFields,
)
export interface ReadAssertionsRequest {
  readonly store_id: string
  readonly authorization_model_id: string
}
const readAssertionsFields = { store_id: storeId, authorization_model_id: assertionsModelId }
export const readAssertionsRequest: Message<ReadAssertionsRequest> = message(
  'ReadAssertionsRequest',
  readAssertionsFields,
)
export interface ReadAssertionsResponse {
  readonly authorization_model_id: string
  readonly assertions: readonly AssertionMessage[]
}
const readAssertionsResponseFields = { authorization_model_id: string(), assertions: list(() => assertion) }
export const readAssertionsResponse: Message<ReadAssertionsResponse> = message(
  'ReadAssertionsResponse',
  readAssertionsResponseFields,
)
