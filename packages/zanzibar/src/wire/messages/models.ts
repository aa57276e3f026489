import * as patterns from '../patterns.ts'
import { list, map } from '../protobuf-json/collections.ts'
import { embedded, type Message, message } from '../protobuf-json/message.ts'
import { enumeration, optionalInt32, string, stringInOneOf } from '../protobuf-json/scalars.ts'
import { storeId } from './questions.ts'

// Messages of `openfga/api:openfga/v1/authzmodel.proto`, and those that carry them.

const name = string({ pattern: patterns.relation })
const type = string({ pattern: patterns.type })
const module = string({ pattern: patterns.relation, mayBeEmpty: true })

interface SourceInfoMessage {
  readonly file: string
}
const sourceInfoFields = { file: string({ pattern: patterns.file, mayBeEmpty: true }) }
const sourceInfo: Message<SourceInfoMessage> = message('SourceInfo', sourceInfoFields)

type Empty = Readonly<Record<string, never>>
const nothing: Message<Empty> = message('Wildcard', {})

interface RelationReferenceMessage {
  readonly type: string
  readonly condition: string
  readonly relation: string | undefined
  readonly wildcard: Empty | undefined
}
const relationReferenceFields = {
  type,
  condition: string({ pattern: patterns.relation, mayBeEmpty: true }),
  relation: stringInOneOf('openfga.v1.RelationReference.relation_or_wildcard', {
    pattern: patterns.relation,
    mayBeEmpty: true,
  }),
  wildcard: embedded(() => nothing, { oneOf: 'openfga.v1.RelationReference.relation_or_wildcard' }),
}
const relationReference: Message<RelationReferenceMessage> = message(
  'RelationReference',
  relationReferenceFields,
)

interface RelationMetadataMessage {
  readonly directly_related_user_types: readonly RelationReferenceMessage[]
  readonly module: string
  readonly source_info: SourceInfoMessage | undefined
}
const relationMetadataFields = {
  directly_related_user_types: list(() => relationReference),
  module,
  source_info: embedded(() => sourceInfo),
}
const relationMetadata: Message<RelationMetadataMessage> = message('RelationMetadata', relationMetadataFields)

interface MetadataMessage {
  readonly relations: Readonly<Record<string, RelationMetadataMessage>>
  readonly module: string
  readonly source_info: SourceInfoMessage | undefined
}
const metadataFields = {
  relations: map(() => relationMetadata),
  module,
  source_info: embedded(() => sourceInfo),
}
const metadata: Message<MetadataMessage> = message('Metadata', metadataFields)

interface ObjectRelationMessage {
  readonly object: string
  readonly relation: string
}
const objectRelationFields = {
  object: string({ maxBytes: 256 }),
  relation: string({ maxBytes: 50, always: true }),
}
const objectRelation: Message<ObjectRelationMessage> = message('ObjectRelation', objectRelationFields)

interface TupleToUsersetMessage {
  readonly tupleset: ObjectRelationMessage | undefined
  readonly computedUserset: ObjectRelationMessage | undefined
}
const tupleToUsersetFields = {
  tupleset: embedded(() => objectRelation, { required: true }),
  computedUserset: embedded(() => objectRelation, { required: true }),
}
const tupleToUserset: Message<TupleToUsersetMessage> = message('TupleToUserset', tupleToUsersetFields)

interface UsersetMessage {
  readonly this: Empty | undefined
  readonly computedUserset: ObjectRelationMessage | undefined
  readonly tupleToUserset: TupleToUsersetMessage | undefined
  readonly union: UsersetsMessage | undefined
  readonly intersection: UsersetsMessage | undefined
  readonly difference: DifferenceMessage | undefined
}
interface UsersetsMessage {
  readonly child: readonly UsersetMessage[]
}
interface DifferenceMessage {
  readonly base: UsersetMessage | undefined
  readonly subtract: UsersetMessage | undefined
}

const usersets: Message<UsersetsMessage> = message('Usersets', {
  child: list(() => userset, { always: true }),
})
const difference: Message<DifferenceMessage> = message('Difference', {
  base: embedded(() => userset, { required: true }),
  subtract: embedded(() => userset, { required: true }),
})
const oneOf = 'openfga.v1.Userset.userset'
const userset: Message<UsersetMessage> = message('Userset', {
  this: embedded(() => nothing, { oneOf }),
  computedUserset: embedded(() => objectRelation, { oneOf }),
  tupleToUserset: embedded(() => tupleToUserset, { oneOf }),
  union: embedded(() => usersets, { oneOf }),
  intersection: embedded(() => usersets, { oneOf }),
  difference: embedded(() => difference, { oneOf }),
})

interface TypeDefinitionMessage {
  readonly type: string
  readonly relations: Readonly<Record<string, UsersetMessage>>
  readonly metadata: MetadataMessage | undefined
}
const typeDefinitionFields = {
  type,
  relations: map(() => userset, { keys: patterns.relation }),
  metadata: embedded(() => metadata),
}
const typeDefinition: Message<TypeDefinitionMessage> = message('TypeDefinition', typeDefinitionFields)

interface ParameterTypeMessage {
  readonly type_name: number
  readonly generic_types: readonly ParameterTypeMessage[]
}
const parameterType: Message<ParameterTypeMessage> = message('ConditionParamTypeRef', {
  type_name: enumeration(
    {
      TYPE_NAME_UNSPECIFIED: 0,
      TYPE_NAME_ANY: 1,
      TYPE_NAME_BOOL: 2,
      TYPE_NAME_STRING: 3,
      TYPE_NAME_INT: 4,
      TYPE_NAME_UINT: 5,
      TYPE_NAME_DOUBLE: 6,
      TYPE_NAME_DURATION: 7,
      TYPE_NAME_TIMESTAMP: 8,
      TYPE_NAME_MAP: 9,
      TYPE_NAME_LIST: 10,
      TYPE_NAME_IPADDRESS: 11,
    },
    { always: true },
  ),
  generic_types: list(() => parameterType, { max: 5 }),
})

interface ConditionMetadataMessage {
  readonly module: string
  readonly source_info: SourceInfoMessage | undefined
}
const conditionMetadataFields = { module, source_info: embedded(() => sourceInfo) }
const conditionMetadata: Message<ConditionMetadataMessage> = message(
  'ConditionMetadata',
  conditionMetadataFields,
)
interface ConditionMessage {
  readonly name: string
  readonly expression: string
  readonly parameters: Readonly<Record<string, ParameterTypeMessage>>
  readonly metadata: ConditionMetadataMessage | undefined
}
const conditionFields = {
  name,
  expression: string({ maxBytes: 512, always: true }),
  parameters: map(() => parameterType, { maxPairs: 25, keys: patterns.relation }),
  metadata: embedded(() => conditionMetadata),
}
const condition: Message<ConditionMessage> = message('Condition', conditionFields)

const conditions = map(() => condition, { maxPairs: 25, keys: patterns.relation })

const writeModelFields = {
  store_id: storeId,
  type_definitions: list(() => typeDefinition, { min: 1 }),
  schema_version: string({ oneOfValues: ['1.0', '1.1', '1.2'] }),
  conditions,
}
export interface WriteModelRequest {
  readonly store_id: string
  readonly type_definitions: readonly TypeDefinitionMessage[]
  readonly schema_version: string
  readonly conditions: Readonly<Record<string, ConditionMessage>>
}
export const writeModelRequest: Message<WriteModelRequest> = message(
  'WriteAuthorizationModelRequest',
  writeModelFields,
)

export interface AuthorizationModelMessage {
  readonly id: string
  readonly schema_version: string
  readonly type_definitions: readonly TypeDefinitionMessage[]
  readonly conditions: Readonly<Record<string, ConditionMessage>>
}
const modelFields = {
  id: string(),
  schema_version: string(),
  type_definitions: list(() => typeDefinition),
  conditions,
}
/** A model as it is given out. */
export const authorizationModel: Message<AuthorizationModelMessage> = message(
  'AuthorizationModel',
  modelFields,
)

export interface ReadAuthorizationModelRequest {
  readonly store_id: string
  readonly id: string
}
const readModelFields = { store_id: storeId, id: string({ pattern: patterns.ulid }) }
export const readModelRequest: Message<ReadAuthorizationModelRequest> = message(
  'ReadAuthorizationModelRequest',
  readModelFields,
)

export interface ReadAuthorizationModelsRequest {
  readonly store_id: string
  readonly page_size: number | undefined
  readonly continuation_token: string
}
const readModelsFields = {
  store_id: storeId,
  page_size: optionalInt32({ min: 1, max: 100 }),
  continuation_token: string({ maxBytes: 5120, pattern: patterns.continuationToken }),
}
export const readModelsRequest: Message<ReadAuthorizationModelsRequest> = message(
  'ReadAuthorizationModelsRequest',
  readModelsFields,
)
