import { ZanzibarError } from '../../errors.ts'
import { type Deadline, type ListedUsers, listUsersUntil } from '../../graph/list-users.ts'
import type { TypeSystem } from '../../model/type-system.ts'
import { splitObject, splitUser } from '../../tuple/object.ts'
import type { Call } from '../call.ts'
import { deadlineOf } from '../deadline.ts'
import { listUsersRequest } from '../messages/questions.ts'
import { type Body, readRequest } from '../request.ts'
import { type Asked, checkRelation, onGround, scopeOf } from '../scope.ts'

export interface ListUsersApi {
  /**
   * `POST /stores/{store_id}/list-users`. As in OpenFGA, the list ends at `listUsersMaxResults` and at `listUsersDeadline`
   * with what it has, and nothing says so.
   */
  listUsers(storeId: string, body: Body, call?: Call): Promise<ListUsersAnswer>
}

export interface ListUsersAnswer {
  readonly users: readonly UserJson[]
}

export type UserJson =
  | { readonly object: { readonly type: string; readonly id: string } }
  | { readonly userset: { readonly type: string; readonly id: string; readonly relation: string } }
  | { readonly wildcard: { readonly type: string } }

export function listUsersApi(asked: Asked): ListUsersApi {
  return {
    listUsers: async (storeId, body, call = {}) => {
      const request = readRequest(listUsersRequest, body, { store_id: storeId })
      const aim = { op: 'listUsers' as const, storeId, modelId: request.authorization_model_id }
      return await onGround(asked, aim, call, async (ground) => {
        const { relation, context, contextual_tuples: contextualTuples } = request
        // The rules of the fields have seen to that there is one of each.
        const { type, id } = request.object ?? { type: '', id: '' }
        const filter = request.user_filters[0] ?? { type: '', relation: '' }
        const scope = scopeOf(ground, asked.limits, { context, contextualTuples, kind: 'list' })
        checkFilter(ground.types, filter)
        checkRelation(ground.types, type, relation)
        const asking = { object: `${type}:${id}`, relation, filter }
        const found = await untilDeadline(asked, call, (deadline) => listUsersUntil(scope, asking, deadline))
        const users = found.users.map(userJson)
        const all = found.everyone ? [{ wildcard: { type: filter.type } }, ...users] : users
        const max = asked.limits.listUsersMaxResults
        return { users: max === 0 ? all : all.slice(0, max) }
      })
    },
  }
}

async function untilDeadline(
  { clock, limits }: Asked,
  { signal }: Call,
  work: (deadline: Deadline) => Promise<ListedUsers>,
): Promise<ListedUsers> {
  const deadline = deadlineOf(clock, limits.listUsersDeadline, signal)
  try {
    return await work(deadline)
  } finally {
    deadline.release()
  }
}

interface Filter {
  readonly type: string
  readonly relation: string
}

function checkFilter(types: TypeSystem, { type, relation }: Filter): void {
  if (relation !== '') checkRelation(types, type, relation)
  else if (!types.hasType(type)) throw new ZanzibarError('type_not_found', `type '${type}' not found`)
}

function userJson(user: string): UserJson {
  const { object, relation } = splitUser(user)
  const { type, id } = splitObject(object)
  return relation === '' ? { object: { type, id } } : { userset: { type, id, relation } }
}
