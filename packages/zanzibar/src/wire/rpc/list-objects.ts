import { ZanzibarError } from '../../errors.ts'
import { firstOfList } from '../../graph/first-reads.ts'
import { objectsAsFound } from '../../graph/list-objects.ts'
import type { Deadline } from '../../graph/list-users.ts'
import type { Scope } from '../../graph/tuple-reader.ts'
import type { TypeSystem } from '../../model/type-system.ts'
import type { Snapshot, Wanted } from '../../store/snapshot.ts'
import { userReason } from '../../tuple/validity.ts'
import type { Call } from '../call.ts'
import { deadlineOf } from '../deadline.ts'
import {
  type ListObjectsRequest,
  listObjectsRequest,
  streamedListObjectsRequest,
} from '../messages/questions.ts'
import type { ResolvedModel } from '../models.ts'
import { type Body, readRequest } from '../request.ts'
import { type Asked, checkRelation, openGround, scopeOf } from '../scope.ts'

export interface ListObjectsApi {
  /**
   * `POST /stores/{store_id}/list-objects`. As in OpenFGA, the list ends at `listObjectsMaxResults` and at
   * `listObjectsDeadline` with what it has, and nothing says so.
   */
  listObjects(storeId: string, body: Body, call?: Call): Promise<ListObjectsAnswer>
  /**
   * `POST /stores/{store_id}/streamed-list-objects`: the answers one by one, as they are found. As in OpenFGA, the stream
   * ends at `listObjectsDeadline`, and nothing says so.
   */
  streamedListObjects(storeId: string, body: Body, call?: Call): AsyncIterable<StreamedObject>
}

export interface ListObjectsAnswer {
  readonly objects: readonly string[]
}

export interface StreamedObject {
  readonly object: string
}

export function listObjectsApi(asked: Asked): ListObjectsApi {
  return {
    listObjects: async (storeId, body, call = {}) => {
      const request = readRequest(listObjectsRequest, body, { store_id: storeId })
      const max = asked.limits.listObjectsMaxResults || Number.POSITIVE_INFINITY
      const objects: string[] = []
      for await (const part of objectsOf(asked, request, call)) {
        for (const object of part.slice(0, max - objects.length)) objects.push(object)
        if (objects.length === max) break
      }
      return { objects }
    },
    streamedListObjects: async function* (storeId, body, call = {}) {
      const request = readRequest(streamedListObjectsRequest, body, { store_id: storeId })
      for await (const part of objectsOf(asked, request, call)) for (const object of part) yield { object }
    },
  }
}

/** As far as they are found until the deadline, which begins with the question: a store may answer with the moment. */
async function* objectsOf(
  asked: Asked,
  request: ListObjectsRequest,
  call: Call,
): AsyncGenerator<readonly string[], void, undefined> {
  const deadline = deadlineOf(asked.clock, asked.limits.listObjectsDeadline, call.signal)
  try {
    yield* objectsUntil(deadline, asked, request, { ...call, signal: deadline.signal })
  } catch (error) {
    if (!deadline.isOver()) throw error
  } finally {
    deadline.release()
  }
}

async function* objectsUntil(
  deadline: Deadline,
  asked: Asked,
  request: ListObjectsRequest,
  call: Call,
): AsyncGenerator<readonly string[], void, undefined> {
  const { type, relation, user, context } = request
  const contextualTuples = request.contextual_tuples?.tuple_keys ?? []
  const given = { context, contextualTuples, kind: 'list' as const }
  const first = ({ types, index }: ResolvedModel): Wanted => {
    const toCome = (snapshot: Snapshot): Scope => {
      checkUser(types, user)
      return scopeOf({ types, index, snapshot }, asked.limits, given)
    }
    return firstOfList(index, toCome, request)
  }
  const aim = { storeId: request.store_id, modelId: request.authorization_model_id, first }
  const opened = await openGround(asked, aim, call)
  const asking = { ...aim, ...opened, op: 'listObjects' as const }
  const query = asked.events.hearQueries ? asked.events.begin(asking, opened.snapshot) : undefined
  const ground = query === undefined ? opened : { ...opened, snapshot: query.snapshot }
  let failure: unknown
  let isHeld = true
  const release = (): void => {
    if (isHeld) ground.snapshot.release()
    isHeld = false
  }
  // Also where nobody takes what was found: the moment is held no longer.
  deadline.signal.addEventListener('abort', release, { once: true })
  try {
    const scope = scopeOf(ground, asked.limits, given)
    checkRelation(ground.types, type, relation)
    checkUser(ground.types, user)
    yield* objectsAsFound(scope, { user, type, relation }, deadline.signal)
  } catch (error) {
    if (deadline.isOver()) return
    failure = error
    throw error
  } finally {
    query?.end(failure)
    release()
  }
}

function checkUser(types: TypeSystem, user: string): void {
  const reason = userReason(types, user)
  if (reason !== undefined) throw new ZanzibarError('validation_error', `invalid 'user' value: ${reason}`)
}
