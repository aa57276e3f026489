import type { Context } from '../../tuple/tuple.ts'
import * as patterns from '../patterns.ts'
import { list } from '../protobuf-json/collections.ts'
import { embedded, type Message, message } from '../protobuf-json/message.ts'
import { enumeration, string } from '../protobuf-json/scalars.ts'
import { struct } from '../protobuf-json/well-known.ts'
import { storeId } from './questions.ts'

// Messages of `openfga/api:authzen/v1/authzen_service.proto`, which are those of AuthZEN's Authorization API 1.0.

const name = string({ pattern: patterns.relation })
const properties = struct()
const context = struct()

interface SubjectMessage {
  readonly type: string
  readonly id: string
  readonly properties: Context | undefined
}
const subjectFields = { type: name, id: string({ pattern: patterns.subjectId }), properties }
const subject: Message<SubjectMessage> = message('Subject', subjectFields)
interface ResourceMessage {
  readonly type: string
  readonly id: string
  readonly properties: Context | undefined
}
const resourceFields = { type: name, id: string({ pattern: patterns.resourceId }), properties }
const resource: Message<ResourceMessage> = message('Resource', resourceFields)
interface ActionMessage {
  readonly name: string
  readonly properties: Context | undefined
}
const actionFields = { name, properties }
const action: Message<ActionMessage> = message('Action', actionFields)
interface SubjectFilterMessage {
  readonly type: string
  readonly id: string
  readonly properties: Context | undefined
}
const filterFields = { type: name, id: string(), properties }
const subjectFilter: Message<SubjectFilterMessage> = message('SubjectFilter', filterFields)
const resourceFilter: Message<SubjectFilterMessage> = message('ResourceFilter', filterFields)

const evaluationFields = {
  store_id: storeId,
  subject: embedded(() => subject, { required: true }),
  resource: embedded(() => resource, { required: true }),
  action: embedded(() => action, { required: true }),
  context,
}
export interface EvaluationRequest {
  readonly store_id: string
  readonly subject: SubjectMessage | undefined
  readonly resource: ResourceMessage | undefined
  readonly action: ActionMessage | undefined
  readonly context: Context | undefined
}
export const evaluationRequest: Message<EvaluationRequest> = message('EvaluationRequest', evaluationFields)

const evaluationsItemFields = {
  subject: embedded(() => subject),
  resource: embedded(() => resource),
  action: embedded(() => action),
  context,
}
/** What is asked; what an item leaves out is as the request has it. */
export interface EvaluationsItem {
  readonly subject: SubjectMessage | undefined
  readonly resource: ResourceMessage | undefined
  readonly action: ActionMessage | undefined
  readonly context: Context | undefined
}
const evaluationsItem: Message<EvaluationsItem> = message('EvaluationsItemRequest', evaluationsItemFields)

/** Numbers of `evaluations_semantic`. */
export const semantics = { execute_all: 0, deny_on_first_deny: 1, permit_on_first_permit: 2 } as const
interface EvaluationsOptionsMessage {
  readonly evaluations_semantic: number
}
const optionsFields = { evaluations_semantic: enumeration(semantics) }
const options: Message<EvaluationsOptionsMessage> = message('EvaluationsOptions', optionsFields)

const evaluationsFields = {
  store_id: storeId,
  evaluations: list(() => evaluationsItem),
  options: embedded(() => options),
  subject: embedded(() => subject),
  action: embedded(() => action),
  resource: embedded(() => resource),
  context,
}
export interface EvaluationsRequest {
  readonly store_id: string
  readonly evaluations: readonly EvaluationsItem[]
  readonly options: EvaluationsOptionsMessage | undefined
  readonly subject: SubjectMessage | undefined
  readonly action: ActionMessage | undefined
  readonly resource: ResourceMessage | undefined
  readonly context: Context | undefined
}
export const evaluationsRequest: Message<EvaluationsRequest> = message(
  'EvaluationsRequest',
  evaluationsFields,
)

export interface SubjectSearchRequest {
  readonly store_id: string
  readonly resource: ResourceMessage | undefined
  readonly action: ActionMessage | undefined
  readonly subject: SubjectFilterMessage | undefined
  readonly context: Context | undefined
}
const subjectSearchFields = {
  store_id: storeId,
  resource: embedded(() => resource, { required: true }),
  action: embedded(() => action, { required: true }),
  subject: embedded(() => subjectFilter, { required: true }),
  context,
}
export const subjectSearchRequest: Message<SubjectSearchRequest> = message(
  'SubjectSearchRequest',
  subjectSearchFields,
)

export interface ResourceSearchRequest {
  readonly store_id: string
  readonly subject: SubjectMessage | undefined
  readonly action: ActionMessage | undefined
  readonly resource: SubjectFilterMessage | undefined
  readonly context: Context | undefined
}
const resourceSearchFields = {
  store_id: storeId,
  subject: embedded(() => subject, { required: true }),
  action: embedded(() => action, { required: true }),
  resource: embedded(() => resourceFilter, { required: true }),
  context,
}
export const resourceSearchRequest: Message<ResourceSearchRequest> = message(
  'ResourceSearchRequest',
  resourceSearchFields,
)

export interface ActionSearchRequest {
  readonly store_id: string
  readonly subject: SubjectMessage | undefined
  readonly resource: ResourceMessage | undefined
  readonly context: Context | undefined
}
const actionSearchFields = {
  store_id: storeId,
  subject: embedded(() => subject, { required: true }),
  resource: embedded(() => resource, { required: true }),
  context,
}
export const actionSearchRequest: Message<ActionSearchRequest> = message(
  'ActionSearchRequest',
  actionSearchFields,
)
