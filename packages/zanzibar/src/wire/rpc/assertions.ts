import { ZanzibarError } from '../../errors.ts'
import type { Limits } from '../../limits.ts'
import type { TypeSystem } from '../../model/type-system.ts'
import type { Assertion, TupleStore } from '../../store/tuple-store.ts'
import { questionReason, refusedTuple, writeProblem } from '../../tuple/validity.ts'
import type { Call } from '../call.ts'
import {
  type AssertionMessage,
  assertion as assertionMessage,
  readAssertionsRequest,
  readAssertionsResponse,
  writeAssertionsRequest,
} from '../messages/data.ts'
import type { Models } from '../models.ts'
import type { JsonObject } from '../protobuf-json/message.ts'
import { type Body, checked, readRequest } from '../request.ts'
import { tupleMessage, tupleOf } from '../tuple-messages.ts'

export interface AssertionsApi {
  /** `PUT /stores/{store_id}/assertions/{authorization_model_id}` */
  writeAssertions(storeId: string, modelId: string, body: Body): Promise<JsonObject>
  /** `GET /stores/{store_id}/assertions/{authorization_model_id}` */
  readAssertions(storeId: string, modelId: string, call?: Call): Promise<JsonObject>
}

export function assertionsApi(store: TupleStore, limits: Limits, models: Models): AssertionsApi {
  return {
    writeAssertions: async (storeId, modelId, body) => {
      const { assertions } = readRequest(writeAssertionsRequest, body, {
        store_id: storeId,
        authorization_model_id: modelId,
      })
      const { types } = await models.resolve(storeId, modelId)
      checkSize(assertions, limits.maxAssertionBytes)
      const read = assertions.map(assertionOf)
      for (const each of read) checkAssertion(types, each)
      await store.writeAssertions(storeId, modelId, read)
      return {}
    },
    readAssertions: async (storeId, modelId, call = {}) => {
      checked(readAssertionsRequest, { store_id: storeId, authorization_model_id: modelId })
      const { id } = await models.resolve(storeId, modelId)
      call.onModel?.(id)
      const assertions = await store.readAssertions(storeId, modelId)
      return readAssertionsResponse.write(
        {
          authorization_model_id: modelId,
          assertions: assertions.map(({ tuple, expectation, contextualTuples = [], context }) => ({
            tuple_key: tuple,
            expectation,
            contextual_tuples: contextualTuples.map(tupleMessage),
            context,
          })),
        },
        true,
      )
    },
  }
}

function checkSize(assertions: readonly AssertionMessage[], max: number): void {
  const size = assertions.reduce((sum, each) => sum + assertionMessage.size(each), 0)
  if (size > max)
    throw new ZanzibarError(
      'exceeded_entity_limit',
      `The number of bytes exceeds the allowed limit of ${max}`,
    )
}

function assertionOf({
  tuple_key: tuple,
  expectation,
  contextual_tuples: given,
  context,
}: AssertionMessage): Assertion {
  // The rules of the field have seen to that there is one.
  const { user, relation, object } = tuple ?? { user: '', relation: '', object: '' }
  return { tuple: { user, relation, object }, expectation, contextualTuples: given.map(tupleOf), context }
}

function checkAssertion(types: TypeSystem, { tuple, contextualTuples = [] }: Assertion): void {
  const reason = questionReason(types, tuple)
  if (reason !== undefined) throw new ZanzibarError('validation_error', reason)
  for (const contextual of contextualTuples) {
    const problem = writeProblem(types, contextual)
    if (problem !== undefined) throw refusedTuple(contextual, problem)
  }
}
