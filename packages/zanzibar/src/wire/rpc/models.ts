import { compileCondition } from '../../condition/condition.ts'
import { ZanzibarError } from '../../errors.ts'
import { checkedSemantics } from '../../graph/weighted.ts'
import type { Limits } from '../../limits.ts'
import type { AuthorizationModel } from '../../model/authorization-model.ts'
import { type Semantics, typeSystem } from '../../model/type-system.ts'
import { validateModel } from '../../model/validate-model.ts'
import type { StoredModel, TupleStore } from '../../store/tuple-store.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import {
  authorizationModel,
  readModelRequest,
  readModelsRequest,
  type WriteModelRequest,
  writeModelRequest,
} from '../messages/models.ts'
import { noModel, unlessNoStore } from '../models.ts'
import type { JsonObject } from '../protobuf-json/message.ts'
import { tokenReader } from '../protobuf-json/tokens.ts'
import { integerParameter, type Query, textParameter } from '../query.ts'
import { type Body, checked, readRequest } from '../request.ts'

export interface ModelsApi {
  /** `POST /stores/{store_id}/authorization-models` */
  writeAuthorizationModel(storeId: string, body: Body): Promise<JsonObject>
  /** `GET /stores/{store_id}/authorization-models/{id}` */
  readAuthorizationModel(storeId: string, modelId: string): Promise<ModelAnswer>
  /** `GET /stores/{store_id}/authorization-models` */
  readAuthorizationModels(storeId: string, query: Query): Promise<ModelsAnswer>
}

/** A model with every field, empty ones too. */
export interface ModelJson extends AuthorizationModel {
  readonly id: string
}

export interface ModelAnswer {
  readonly authorization_model: ModelJson
}

export interface ModelsAnswer {
  readonly authorization_models: readonly ModelJson[]
  readonly continuation_token: string
}

export function modelsApi(store: TupleStore, limits: Limits, semantics: Semantics | undefined): ModelsApi {
  return {
    writeAuthorizationModel: async (storeId, body) => {
      const request = readRequest(writeModelRequest, body, { store_id: storeId })
      checkSize(request, limits)
      const model = modelOf(request)
      validateModel(model, limits, compileCondition)
      checkedSemantics(typeSystem(model, compileCondition, semantics))
      return { authorization_model_id: await store.writeModel(storeId, model) }
    },
    readAuthorizationModel: async (storeId, modelId) => {
      checked(readModelRequest, { store_id: storeId, id: modelId })
      const found = await store.readModel(storeId, modelId).catch(unlessNoStore)
      if (found === undefined) throw noModel(modelId)
      return { authorization_model: modelJson(found) }
    },
    readAuthorizationModels: async (storeId, query) => {
      const request = checked(readModelsRequest, {
        store_id: storeId,
        page_size: integerParameter(query, 'page_size'),
        continuation_token: textParameter(query, 'continuation_token'),
      })
      const cursor = readCursor('models', request.continuation_token)
      const page = await store
        .listModels(storeId, { limit: request.page_size ?? limits.defaultPageSize, after: cursor?.after })
        .catch(unlessNoStore)
      const { items = [], next } = page ?? {}
      return {
        authorization_models: items.map(modelJson),
        continuation_token: next === undefined ? '' : writeCursor('models', { after: next }),
      }
    },
  }
}

/** What is written without its empty parts is a model as the type says. */
function modelOf(request: WriteModelRequest): AuthorizationModel {
  return writeModelRequest.write({ ...request, store_id: '' }, false) as unknown as AuthorizationModel
}

function modelJson({ id, model }: StoredModel): ModelJson {
  const fields = authorizationModel.read(tokenReader(JSON.stringify(model)))
  return authorizationModel.write({ ...fields, id }, true) as unknown as ModelJson
}

const idBytes = 2 + 26

function checkSize(request: WriteModelRequest, { maxModelBytes }: Limits): void {
  const size = writeModelRequest.size({ ...request, store_id: '' }) + idBytes
  if (size > maxModelBytes)
    throw new ZanzibarError(
      'exceeded_entity_limit',
      `model exceeds size limit: ${size} bytes vs ${maxModelBytes} bytes`,
    )
}
