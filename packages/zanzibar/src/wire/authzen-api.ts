import { isZanzibarError, ZanzibarError } from '../errors.ts'
import type { AuthorizationModel } from '../model/authorization-model.ts'
import type { Context, Json } from '../tuple/tuple.ts'
import type { Call } from './call.ts'
import {
  actionSearchRequest,
  type EvaluationRequest,
  type EvaluationsItem,
  type EvaluationsRequest,
  evaluationRequest,
  evaluationsRequest,
  resourceSearchRequest,
  semantics,
  subjectSearchRequest,
} from './messages/authzen.ts'
import { noModels } from './models.ts'
import type { OpenFgaApi } from './openfga-api.ts'
import { emptyRecord, type JsonObject } from './protobuf-json/message.ts'
import { type Body, readRequest } from './request.ts'
import type { UserJson } from './rpc/list-users.ts'
import { statusOf } from './status.ts'

/** A request of AuthZEN. */
export interface AuthZenRequest {
  readonly storeId: string
  /** Of the header `Openfga-Authorization-Model-Id`; empty for the model written last. */
  readonly modelId: string
  readonly body: Body
  readonly call: Call
}

/**
 * AuthZEN's Authorization API 1.0 (openid.net/specs/authorization-api-1_0.html) as OpenFGA has it: a subject is a user, an
 * action a relation, a resource an object; properties come into the context as `subject_…`, `resource_…` and `action_…`.
 */
export interface AuthZenApi {
  /** `POST /stores/{store_id}/access/v1/evaluation` */
  evaluation(request: AuthZenRequest): Promise<JsonObject>
  /** `POST /stores/{store_id}/access/v1/evaluations` */
  evaluations(request: AuthZenRequest): Promise<JsonObject>
  /** `POST /stores/{store_id}/access/v1/search/subject` */
  searchSubject(request: AuthZenRequest): Promise<JsonObject>
  /** `POST /stores/{store_id}/access/v1/search/resource` */
  searchResource(request: AuthZenRequest): Promise<JsonObject>
  /** `POST /stores/{store_id}/access/v1/search/action` */
  searchAction(request: AuthZenRequest): Promise<JsonObject>
  /** `GET /.well-known/authzen-configuration/{store_id}` */
  configuration(storeId: string, baseUrl: string): Promise<JsonObject>
}

export function authZenApi(openFga: OpenFgaApi): AuthZenApi {
  return {
    evaluation: async (request) => {
      const { subject, resource, action, context } = readRequest(evaluationRequest, request.body, {
        store_id: request.storeId,
      })
      return await evaluated(openFga, request, { subject, resource, action, context })
    },
    evaluations: async (request) => {
      const whole = readRequest(evaluationsRequest, request.body, { store_id: request.storeId })
      return { evaluations: await evaluations(openFga, request, whole) }
    },
    searchSubject: async (request) => {
      const { resource, action, subject, context } = readRequest(subjectSearchRequest, request.body, {
        store_id: request.storeId,
      })
      const body = {
        authorization_model_id: modelOf(request),
        object: { type: resource?.type ?? '', id: resource?.id ?? '' },
        relation: action?.name ?? '',
        user_filters: [{ type: subject?.type ?? '' }],
        context: merged({ subject, resource, action, context }),
      }
      const { users } = await openFga.listUsers(request.storeId, body, request.call)
      return { results: users.flatMap(subjectsOf) }
    },
    searchResource: async (request) => {
      const { resource, action, subject, context } = readRequest(resourceSearchRequest, request.body, {
        store_id: request.storeId,
      })
      const body = {
        authorization_model_id: modelOf(request),
        type: resource?.type ?? '',
        relation: action?.name ?? '',
        user: named(subject),
        context: merged({ subject, resource, action, context }),
      }
      const results: Json[] = []
      for await (const { object } of openFga.streamedListObjects(request.storeId, body, request.call)) {
        const colon = object.indexOf(':')
        results.push({ type: object.slice(0, colon), id: object.slice(colon + 1) })
      }
      return { results }
    },
    searchAction: async (request) => {
      const { resource, subject, context } = readRequest(actionSearchRequest, request.body, {
        store_id: request.storeId,
      })
      return { results: await actions(openFga, request, { subject, resource, action: undefined, context }) }
    },
    configuration: async (storeId, baseUrl) => {
      const store = `${baseUrl}/stores/${encodeURIComponent(storeId)}`
      return {
        policy_decision_point: store,
        access_evaluation_endpoint: `${store}/access/v1/evaluation`,
        access_evaluations_endpoint: `${store}/access/v1/evaluations`,
        search_subject_endpoint: `${store}/access/v1/search/subject`,
        search_resource_endpoint: `${store}/access/v1/search/resource`,
        search_action_endpoint: `${store}/access/v1/search/action`,
        capabilities: [],
      }
    },
  }
}

function subjectsOf(user: UserJson): JsonObject[] {
  if ('object' in user) return [user.object]
  return 'wildcard' in user ? [{ type: user.wildcard.type, id: '*' }] : []
}

/** What is asked, each part where it is given. */
type Question = Pick<EvaluationRequest, 'subject' | 'resource' | 'action' | 'context'>

interface Properties {
  readonly properties: Context | undefined
}

/** The context of a question: a request's own wins over properties. */
function merged({
  subject,
  resource,
  action,
  context,
}: {
  readonly subject?: Properties | undefined
  readonly resource?: Properties | undefined
  readonly action?: Properties | undefined
  readonly context: Context | undefined
}): Context {
  const all: Record<string, Json> = emptyRecord()
  for (const [prefix, part] of Object.entries({ subject, resource, action })) {
    for (const [key, value] of Object.entries(part?.properties ?? {})) all[`${prefix}_${key}`] = value
  }
  for (const [key, value] of Object.entries(context ?? {})) all[key] = value
  return all
}

const ulid = /^[ABCDEFGHJKMNPQRSTVWXYZ0-9]{26}$/

/** What is no id is as if it were not given. */
function modelOf({ modelId }: AuthZenRequest): string {
  return ulid.test(modelId) ? modelId : ''
}

function named(part: { readonly type: string; readonly id: string } | undefined): string {
  return `${part?.type ?? ''}:${part?.id ?? ''}`
}

function tupleKey({ subject, resource, action }: Question): Record<'user' | 'relation' | 'object', string> {
  return { user: named(subject), relation: action?.name ?? '', object: named(resource) }
}

async function evaluated(
  openFga: OpenFgaApi,
  request: AuthZenRequest,
  question: Question,
): Promise<JsonObject> {
  const body = {
    authorization_model_id: modelOf(request),
    tuple_key: tupleKey(question),
    context: merged(question),
  }
  const { allowed } = await openFga.check(request.storeId, body, request.call)
  return { decision: allowed }
}

async function evaluations(
  openFga: OpenFgaApi,
  request: AuthZenRequest,
  whole: EvaluationsRequest,
): Promise<Json[]> {
  if (whole.evaluations.length === 0) {
    checkWhole(whole)
    return [await evaluated(openFga, request, whole)]
  }
  const questions = whole.evaluations.map((item) => completed(item, whole))
  const semantic = whole.options?.evaluations_semantic ?? semantics.execute_all
  if (semantic === semantics.execute_all) return await evaluatedTogether(openFga, request, questions)
  const last = semantic === semantics.permit_on_first_permit
  const results: Json[] = []
  for (const question of questions) {
    const { decision, error } = await decided(openFga, request, question)
    results.push(error === undefined ? { decision } : { decision, context: { error } })
    if (decision === last) break
  }
  return results
}

function completed(item: EvaluationsItem, whole: EvaluationsRequest): Question {
  return {
    subject: item.subject ?? whole.subject,
    resource: item.resource ?? whole.resource,
    action: item.action ?? whole.action,
    context: item.context ?? whole.context,
  }
}

/** What of a question is missing. */
function lacking({ subject, resource, action }: Question): string | undefined {
  if (subject === undefined) return 'missing subject'
  if (resource === undefined) return 'missing resource'
  return action === undefined ? 'missing action' : undefined
}

function checkWhole(question: Question, place = ''): void {
  const missing = lacking(question)
  if (missing !== undefined) throw new ZanzibarError('validation_error', `${place}${missing}`)
}

async function evaluatedTogether(
  openFga: OpenFgaApi,
  request: AuthZenRequest,
  questions: readonly Question[],
): Promise<Json[]> {
  for (const [index, question] of questions.entries()) checkWhole(question, `evaluation ${index}: `)
  const body = {
    authorization_model_id: modelOf(request),
    checks: questions.map((question, index) => ({
      tuple_key: tupleKey(question),
      context: merged(question),
      correlation_id: String(index),
    })),
  }
  const { result } = await openFga.batchCheck(request.storeId, body, request.call)
  return questions.map((_, index) => {
    const { allowed = false, error } = result[String(index)] ?? {}
    if (error === undefined) return { decision: allowed }
    const status = 'input_error' in error ? 400 : 500
    return { decision: false, context: { error: { status, message: error.message } } }
  })
}

interface Decided {
  readonly decision: boolean
  readonly error?: { readonly status: number; readonly message: string }
}

async function decided(openFga: OpenFgaApi, request: AuthZenRequest, question: Question): Promise<Decided> {
  try {
    checkWhole(question)
    const body = {
      authorization_model_id: modelOf(request),
      tuple_key: tupleKey(question),
      context: merged(question),
    }
    const { allowed } = await openFga.check(request.storeId, body, request.call)
    return { decision: allowed }
  } catch (error) {
    if (!isZanzibarError(error) || error.code === 'cancelled') throw error
    return { decision: false, error: { status: statusOf(error.number), message: error.message } }
  }
}

/** Undefined where there is none at all. */
async function modelAsked(
  openFga: OpenFgaApi,
  request: AuthZenRequest,
): Promise<AuthorizationModel | undefined> {
  const id = modelOf(request)
  if (id !== '') return (await openFga.readAuthorizationModel(request.storeId, id)).authorization_model
  const newest = await openFga.readAuthorizationModels(
    request.storeId,
    new URLSearchParams({ page_size: '1' }),
  )
  return newest.authorization_models[0]
}

/** The relations that the subject has, of those that the resource's type has. */
async function actions(openFga: OpenFgaApi, request: AuthZenRequest, question: Question): Promise<Json[]> {
  const type = question.resource?.type ?? ''
  const model = await modelAsked(openFga, request)
  if (model === undefined) throw noModels(request.storeId)
  const definition = model.type_definitions.find((each) => each.type === type)
  if (definition === undefined)
    throw new ZanzibarError(
      'validation_error',
      `failed to get relations for type ${type}: '${type}' is an undefined object type`,
    )
  const relations = Object.keys(definition.relations ?? {})
  const allowed: string[] = []
  for (const relation of relations) {
    const { decision } = await decided(openFga, request, {
      ...question,
      action: { name: relation, properties: undefined },
    })
    if (decision) allowed.push(relation)
  }
  return allowed.toSorted().map((name) => ({ name }))
}
