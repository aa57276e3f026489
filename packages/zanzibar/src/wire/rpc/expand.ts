import { ZanzibarError } from '../../errors.ts'
import { expand, type UsersetTree } from '../../graph/expand.ts'
import { objectReason, relationReason } from '../../tuple/validity.ts'
import type { Call } from '../call.ts'
import { expandRequest } from '../messages/questions.ts'
import { type Body, readRequest } from '../request.ts'
import { type Asked, onGround, scopeOf } from '../scope.ts'

export interface ExpandApi {
  /** `POST /stores/{store_id}/expand` */
  expand(storeId: string, body: Body, call?: Call): Promise<ExpandAnswer>
}

export interface ExpandAnswer {
  readonly tree: { readonly root: UsersetTree }
}

export function expandApi(asked: Asked): ExpandApi {
  return {
    expand: async (storeId, body, call = {}) => {
      const request = readRequest(expandRequest, body, { store_id: storeId })
      const aim = { op: 'expand' as const, storeId, modelId: request.authorization_model_id }
      return await onGround(asked, aim, call, async (ground) => {
        const { object = '', relation = '' } = request.tuple_key ?? {}
        if (object === '' || relation === '')
          throw new ZanzibarError(
            'invalid_expand_input',
            'Invalid input. Make sure you provide an object and a relation',
          )
        const contextualTuples = request.contextual_tuples?.tuple_keys ?? []
        const scope = scopeOf(ground, asked.limits, { context: undefined, contextualTuples, kind: 'list' })
        const reason =
          objectReason(ground.types, object) ?? relationReason(ground.types, { object, relation })
        if (reason !== undefined) throw new ZanzibarError('validation_error', reason)
        return { tree: { root: await expand(scope, { object, relation }, call.signal) } }
      })
    },
  }
}
