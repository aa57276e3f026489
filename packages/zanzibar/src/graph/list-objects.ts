import { checkEach } from './check-each.ts'
import type { Candidates } from './found.ts'
import { answer, answerInParts } from './question.ts'
import { ReverseExpansion } from './reverse-expansion.ts'
import type { Scope } from './tuple-reader.ts'

export interface ListObjectsRequest {
  readonly user: string
  readonly type: string
  readonly relation: string
}

/**
 * Every object of a type that a user has a relation to, without duplicates, in no order. All that it names is defined in
 * the model.
 *
 * The model is walked backwards from the user, so no object is looked at that the user does not come near. Where OpenFGA
 * lists with its pipeline, operands of intersections and exclusions are walked each on their own and put together; else
 * the first operand gives candidates, which are checked.
 *
 * @throws ZanzibarError `validation_error` for a condition on the way that cannot be evaluated; where depth is limited and the
 *   user no plain one, or the model not weighted, `authorization_model_resolution_too_complex`; `cancelled`
 */
export function listObjects(
  scope: Scope,
  request: ListObjectsRequest,
  signal?: AbortSignal,
): readonly string[] | Promise<readonly string[]> {
  const relation = scope.types.relation(request.type, request.relation)
  if (relation === undefined) return []
  const found = answer(new ReverseExpansion(scope, request.user, relation), scope.snapshot, signal)
  return found instanceof Promise
    ? found.then((objects) => checked(scope, request, objects, signal))
    : checked(scope, request, found, signal)
}

/**
 * The same as they are found: objects that no part before had. Who asks for no further part ends the work.
 *
 * @throws ZanzibarError as {@link listObjects}, perhaps after some parts
 */
export async function* objectsAsFound(
  scope: Scope,
  request: ListObjectsRequest,
  signal?: AbortSignal,
): AsyncGenerator<readonly string[], void, undefined> {
  const relation = scope.types.relation(request.type, request.relation)
  if (relation === undefined) return
  const expansion = new ReverseExpansion(scope, request.user, relation)
  expansion.take()
  const candidates = yield* answerInParts(expansion, scope.snapshot, signal)
  yield* allowedAmong(scope, request, [...candidates.open], signal)
}

function checked(
  scope: Scope,
  request: ListObjectsRequest,
  { certain, open }: Candidates,
  signal: AbortSignal | undefined,
): readonly string[] | Promise<readonly string[]> {
  const objects = [...certain]
  if (open.size === 0) return objects
  const checkAll = async (): Promise<readonly string[]> => {
    for await (const part of allowedAmong(scope, request, [...open], signal)) objects.push(...part)
    return objects
  }
  return checkAll()
}

async function* allowedAmong(
  scope: Scope,
  { user, relation }: ListObjectsRequest,
  objects: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly string[], void, undefined> {
  const keys = objects.map((object) => ({ user, relation, object }))
  for await (const part of checkEach(scope, keys, signal)) yield part.map(({ object }) => object)
}
