import type { Context } from '../../tuple/tuple.ts'
import * as patterns from '../patterns.ts'
import { list } from '../protobuf-json/collections.ts'
import { embedded, type Message, message } from '../protobuf-json/message.ts'
import { enumeration, string } from '../protobuf-json/scalars.ts'
import { struct, timestamp } from '../protobuf-json/well-known.ts'

// Messages of `openfga/api:openfga/v1/openfga.proto`. Their fields stand in the order in which the generated code checks them.

interface RelationshipConditionMessage {
  readonly name: string
  readonly context: Context | undefined
}
const relationshipConditionFields = {
  name: string({ pattern: patterns.conditionName }),
  context: struct(),
}
const relationshipCondition: Message<RelationshipConditionMessage> = message(
  'RelationshipCondition',
  relationshipConditionFields,
)

const tupleKeyFields = {
  user: string({ maxBytes: 512 }),
  relation: string({ pattern: patterns.relation, mayBeEmpty: true }),
  object: string({ pattern: patterns.object, mayBeEmpty: true }),
  condition: embedded(() => relationshipCondition),
}
export interface TupleKeyMessage {
  readonly user: string
  readonly relation: string
  readonly object: string
  readonly condition: RelationshipConditionMessage | undefined
}
export const tupleKey: Message<TupleKeyMessage> = message('TupleKey', tupleKeyFields)

export interface TupleKeyWithoutConditionMessage {
  readonly user: string
  readonly relation: string
  readonly object: string
}
const tupleKeyWithoutConditionFields = {
  user: string({ maxBytes: 512 }),
  relation: string({ pattern: patterns.relation, mayBeEmpty: true }),
  object: string({ pattern: patterns.object, mayBeEmpty: true }),
}
export const tupleKeyWithoutCondition: Message<TupleKeyWithoutConditionMessage> = message(
  'TupleKeyWithoutCondition',
  tupleKeyWithoutConditionFields,
)

export interface ContextualTupleKeysMessage {
  readonly tuple_keys: readonly TupleKeyMessage[]
}
const contextualTupleKeysFields = { tuple_keys: list(() => tupleKey, { max: 100 }) }
export const contextualTupleKeys: Message<ContextualTupleKeysMessage> = message(
  'ContextualTupleKeys',
  contextualTupleKeysFields,
)

export interface ObjectMessage {
  readonly type: string
  readonly id: string
}
const objectFields = { type: string({ pattern: patterns.type }), id: string({ pattern: patterns.id }) }
export const object: Message<ObjectMessage> = message('Object', objectFields)

export interface UserTypeFilterMessage {
  readonly type: string
  readonly relation: string
}
const userTypeFilterFields = {
  type: string({ pattern: patterns.type }),
  relation: string({ pattern: patterns.relation, mayBeEmpty: true }),
}
export const userTypeFilter: Message<UserTypeFilterMessage> = message('UserTypeFilter', userTypeFilterFields)

export interface TupleMessage {
  readonly key: TupleKeyMessage | undefined
  readonly timestamp: number | undefined
}
const tupleFields = { key: embedded(() => tupleKey, { required: true }), timestamp: timestamp() }
export const tuple: Message<TupleMessage> = message('Tuple', tupleFields)

export interface TupleChangeMessage {
  readonly tuple_key: TupleKeyMessage | undefined
  readonly operation: number
  readonly timestamp: number | undefined
}
const tupleChangeFields = {
  tuple_key: embedded(() => tupleKey, { required: true }),
  operation: enumeration({ TUPLE_OPERATION_WRITE: 0, TUPLE_OPERATION_DELETE: 1 }),
  timestamp: timestamp(),
}
export const tupleChange: Message<TupleChangeMessage> = message('TupleChange', tupleChangeFields)
