import type { HttpRequest } from './http-requests.ts'
import type { Rule } from './known-rules.ts'

/** Requests to a store that begins with the same model and tuples. */
export type HttpCase = readonly HttpRequest[]

/** Status and body, with what cannot be the same taken out. */
export type HttpAnswer = string

/** What OpenFGA answers, and where that is not what ours does, what ours would in its place. */
export interface HttpPeerAnswer {
  readonly answer: HttpAnswer
  /** Ours, where deletes without an object deleted what OpenFGA's store in memory deletes. */
  readonly afterLooseDeletes?: HttpAnswer | undefined
  /** Ours to the same list by each operand of `both`, at that moment. */
  readonly operands?: readonly HttpAnswer[] | undefined
}

export const httpRules: readonly Rule<HttpCase, HttpAnswer, HttpPeerAnswer>[] = [
  {
    reason: 'a path that cannot be decoded is refused in plain text, ours in JSON',
    explains: (given, at, mine, { answer }) =>
      given[at]?.path.includes('%ZZ') === true &&
      [400, 404].includes(statusOf(mine)) &&
      statusOf(answer) === 400,
  },
  {
    reason:
      'a continuation token of another call OpenFGA refuses for its type, or fails within; we refuse it as none',
    explains: (given, at, mine, { answer }) =>
      JSON.stringify(given[at]).includes('$T') &&
      statusOf(mine) === 400 &&
      (statusOf(answer) === 500 || answer.includes('query_string_type_continuation_token_mismatch')),
  },
  {
    reason:
      'with control characters in its context, a list that OpenFGA answers by checks fails within, and ours does without them',
    explains: (given, at, mine, { answer }) =>
      given[at]?.path.endsWith('list-objects') === true &&
      /\\\\?u000[01]/.test(JSON.stringify(given[at])) &&
      statusOf(mine) === 200 &&
      statusOf(answer) === 500,
  },
  {
    reason:
      'a list of objects by an intersection of which one operand is empty and another one fails: OpenFGA takes what comes first, and we take the empty one',
    explains: (_, __, mine, { answer, operands }) =>
      isEmptyList(mine) && operands?.some(isEmptyList) === true && operands.includes(answer),
  },
  {
    reason:
      'a delete whose object has no id, or whose relation is empty, is of a tuple that does not exist; the store of OpenFGA in memory takes it for any object or relation, and deletes what the rest is of (`pkg/storage/memory/memory.go` match)',
    explains: (given, at, _, { answer, afterLooseDeletes }) =>
      given.slice(0, at + 1).some((request) => looseDeletes(request).length > 0) &&
      answer === afterLooseDeletes,
  },
]

interface Key {
  readonly user: string
  readonly relation: string
  readonly object: string
}

/** The deletes of a write whose object is empty, or a type alone, or whose relation is empty. */
export function looseDeletes({ method, path, body }: HttpRequest): readonly Key[] {
  if (method !== 'POST' || !path.endsWith('/write')) return []
  const keys: unknown = Reflect.get(Object(Reflect.get(Object(body), 'deletes')), 'tuple_keys')
  return Array.isArray(keys) ? keys.filter(isLoose) : []
}

function isLoose(key: unknown): key is Key {
  const [user, relation, object] = ['user', 'relation', 'object'].map((name): unknown =>
    Reflect.get(Object(key), name),
  )
  return (
    typeof user === 'string' &&
    /:./.test(user) &&
    typeof relation === 'string' &&
    typeof object === 'string' &&
    (isOpen(object) || (relation === '' && /^[^:]+:./.test(object)))
  )
}

/** Whether it names no one object. */
function isOpen(object: string): boolean {
  return /^(?:[^:]+:)?$/.test(object)
}

/** The same write with each of them in place of which stands what `stored` says that it matches. */
export function withDeleted(request: HttpRequest, stored: readonly Key[]): HttpRequest {
  const loose = new Set(looseDeletes(request).map((key) => JSON.stringify(key)))
  const { deletes, ...rest } = Object(request.body)
  const keys: readonly Key[] = deletes.tuple_keys
  const tuple_keys = keys.flatMap((key) => {
    if (!loose.has(JSON.stringify(key))) return [key]
    const matching = stored.filter(
      ({ user, relation, object }) =>
        user === key.user &&
        (key.relation === '' || relation === key.relation) &&
        (isOpen(key.object) ? object.startsWith(key.object) : object === key.object),
    )
    return matching.length === 0
      ? [key]
      : matching.map(({ user, relation, object }) => ({ user, relation, object }))
  })
  return { ...request, body: { ...rest, deletes: { ...deletes, tuple_keys } } }
}

function isEmptyList(answer: HttpAnswer): boolean {
  return /^\{"status":200,"body":(?:\{"objects":\[\]\}|"")\}$/.test(answer)
}

function statusOf(answer: HttpAnswer): number {
  return Number(/^\{"status":(\d+)/.exec(answer)?.[1])
}
