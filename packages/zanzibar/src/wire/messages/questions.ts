import type { Context } from '../../tuple/tuple.ts'
import * as patterns from '../patterns.ts'
import { list } from '../protobuf-json/collections.ts'
import type { FieldType } from '../protobuf-json/field-type.ts'
import { embedded, type Message, message } from '../protobuf-json/message.ts'
import { bool, enumeration, string } from '../protobuf-json/scalars.ts'
import { struct } from '../protobuf-json/well-known.ts'
import {
  type ContextualTupleKeysMessage,
  contextualTupleKeys,
  type ObjectMessage,
  object,
  type TupleKeyMessage,
  tupleKey,
  type UserTypeFilterMessage,
  userTypeFilter,
} from './tuples.ts'

// The questions of `openfga/api:openfga/v1/openfga_service.proto`.

export const storeId: FieldType<string> = string({ pattern: patterns.ulid })
export const modelId: FieldType<string> = string({ pattern: patterns.ulid, mayBeEmpty: true })
export const consistency: FieldType<number> = enumeration({
  UNSPECIFIED: 0,
  MINIMIZE_LATENCY: 100,
  HIGHER_CONSISTENCY: 200,
})
const relation = string({ pattern: patterns.relation })
const contextualTuples = embedded(() => contextualTupleKeys)
const context = struct()

interface CheckRequestTupleKeyMessage {
  readonly user: string
  readonly relation: string
  readonly object: string
}
const checkTupleKeyFields = {
  user: string({ pattern: patterns.user }),
  relation,
  object: string({ pattern: patterns.object }),
}
const checkTupleKey: Message<CheckRequestTupleKeyMessage> = message(
  'CheckRequestTupleKey',
  checkTupleKeyFields,
)

const checkFields = {
  store_id: storeId,
  tuple_key: embedded(() => checkTupleKey, { required: true }),
  contextual_tuples: contextualTuples,
  authorization_model_id: modelId,
  trace: bool(),
  context,
  consistency,
}
export interface CheckRequest {
  readonly store_id: string
  readonly tuple_key: CheckRequestTupleKeyMessage | undefined
  readonly contextual_tuples: ContextualTupleKeysMessage | undefined
  readonly authorization_model_id: string
  readonly trace: boolean
  readonly context: Context | undefined
  readonly consistency: number
}
export const checkRequest: Message<CheckRequest> = message('CheckRequest', checkFields)

const batchCheckItemFields = {
  tuple_key: embedded(() => checkTupleKey, { required: true }),
  contextual_tuples: contextualTuples,
  context,
  correlation_id: string({ pattern: patterns.correlationId }),
}
export interface BatchCheckItem {
  readonly tuple_key: CheckRequestTupleKeyMessage | undefined
  readonly contextual_tuples: ContextualTupleKeysMessage | undefined
  readonly context: Context | undefined
  readonly correlation_id: string
}
export const batchCheckItem: Message<BatchCheckItem> = message('BatchCheckItem', batchCheckItemFields)

const batchCheckFields = {
  store_id: storeId,
  checks: list(() => batchCheckItem, { min: 1 }),
  authorization_model_id: modelId,
  consistency,
}
export interface BatchCheckRequest {
  readonly store_id: string
  readonly checks: readonly BatchCheckItem[]
  readonly authorization_model_id: string
  readonly consistency: number
}
export const batchCheckRequest: Message<BatchCheckRequest> = message('BatchCheckRequest', batchCheckFields)

interface ExpandRequestTupleKeyMessage {
  readonly relation: string
  readonly object: string
}
const expandTupleKeyFields = {
  relation: string({ pattern: patterns.relation, mayBeEmpty: true }),
  object: string({ pattern: patterns.object, mayBeEmpty: true }),
}
const expandTupleKey: Message<ExpandRequestTupleKeyMessage> = message(
  'ExpandRequestTupleKey',
  expandTupleKeyFields,
)

const expandFields = {
  store_id: storeId,
  tuple_key: embedded(() => expandTupleKey, { required: true }),
  authorization_model_id: modelId,
  consistency,
  contextual_tuples: contextualTuples,
}
export interface ExpandRequest {
  readonly store_id: string
  readonly tuple_key: ExpandRequestTupleKeyMessage | undefined
  readonly authorization_model_id: string
  readonly consistency: number
  readonly contextual_tuples: ContextualTupleKeysMessage | undefined
}
export const expandRequest: Message<ExpandRequest> = message('ExpandRequest', expandFields)

const listObjectsFields = {
  store_id: storeId,
  authorization_model_id: modelId,
  type: string({ pattern: patterns.type }),
  relation,
  user: string({ bytesBetween: [1, 512] }),
  contextual_tuples: contextualTuples,
  context,
  consistency,
}
export interface ListObjectsRequest {
  readonly store_id: string
  readonly authorization_model_id: string
  readonly type: string
  readonly relation: string
  readonly user: string
  readonly contextual_tuples: ContextualTupleKeysMessage | undefined
  readonly context: Context | undefined
  readonly consistency: number
}
export const listObjectsRequest: Message<ListObjectsRequest> = message(
  'ListObjectsRequest',
  listObjectsFields,
)
export const streamedListObjectsRequest: Message<ListObjectsRequest> = message(
  'StreamedListObjectsRequest',
  listObjectsFields,
)

const listUsersFields = {
  store_id: storeId,
  authorization_model_id: modelId,
  object: embedded(() => object, { required: true }),
  relation,
  user_filters: list(() => userTypeFilter, { min: 1, max: 1 }),
  contextual_tuples: list(() => tupleKey, { max: 100 }),
  context,
  consistency,
}
export interface ListUsersRequest {
  readonly store_id: string
  readonly authorization_model_id: string
  readonly object: ObjectMessage | undefined
  readonly relation: string
  readonly user_filters: readonly UserTypeFilterMessage[]
  readonly contextual_tuples: readonly TupleKeyMessage[]
  readonly context: Context | undefined
  readonly consistency: number
}
export const listUsersRequest: Message<ListUsersRequest> = message('ListUsersRequest', listUsersFields)
