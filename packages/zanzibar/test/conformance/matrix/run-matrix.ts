import {
  isZanzibarError,
  type OpenFgaApi,
  openFgaApi,
  parseModel,
  type Tuple,
  type TupleStore,
} from '../../../src/index.ts'
import { seeded } from '../../faults/seeded.ts'
import type { Matrix, MatrixCheck, MatrixList } from './tables.ts'

/** How many answers there were, and those that were not as expected. */
export interface MatrixResult {
  readonly asked: Record<
    'checks' | 'listObjects' | 'listUsers' | 'lists' | 'streamed' | 'listedAgain',
    number
  >
  readonly wrong: string[]
}

interface Space {
  readonly api: OpenFgaApi
  readonly id: string
  readonly result: MatrixResult
}

const writtenTogether = 40

/** Runs OpenFGA's matrices as its own runners do (`tests/check/check.go`, `tests/listobjects`), each stage in a space of its own. */
export async function runMatrix(
  matrix: Matrix,
  store: TupleStore,
  seed: number,
  closureIndex: boolean,
): Promise<MatrixResult> {
  const result: MatrixResult = {
    asked: { checks: 0, listObjects: 0, listUsers: 0, lists: 0, streamed: 0, listedAgain: 0 },
    wrong: [],
  }
  const random = seeded(seed)
  const open = (model: string | object, tuples: readonly Tuple[]): Promise<Space> => {
    const api = openFgaApi({ store, closureIndex, limits: { listObjectsDeadline: 0, listUsersDeadline: 0 } })
    return openSpace(store, api, model, tuples, result)
  }
  for (const { name, tuples, assertions } of matrix.checks) {
    const space = await open(matrix.checkModel, shuffled(tuples, random))
    for (const assertion of assertions) await ask(space, name, assertion)
  }
  for (const { name, tuples, assertions } of matrix.lists) {
    const space = await open(matrix.listModel, shuffled(tuples, random))
    for (const assertion of assertions) await list(space, name, assertion)
  }
  const any = await open(anyModel, [anyTuple])
  for (const { context, allowed } of [{ context: undefined, allowed: false }, ...matrix.anyValues]) {
    const error = context === undefined ? 2000 : 0
    const errors = { checkError: error, listObjectsError: error, listUsersError: error, isAnyList: false }
    await ask(any, 'any', {
      name: JSON.stringify(context),
      tuple: anyTuple,
      context,
      expectation: allowed,
      ...errors,
    })
  }
  return result
}

const anyTuple = {
  user: 'user:jon',
  relation: 'viewer',
  object: 'document:1',
  condition: { name: 'any_cond' },
}

// The DSL has no parameter of type any.
const anyModel = {
  schema_version: '1.1',
  type_definitions: [
    { type: 'user' },
    {
      type: 'document',
      relations: { viewer: { this: {} } },
      metadata: {
        relations: { viewer: { directly_related_user_types: [{ type: 'user', condition: 'any_cond' }] } },
      },
    },
  ],
  conditions: {
    any_cond: {
      name: 'any_cond',
      expression: 'data != null',
      parameters: { data: { type_name: 'TYPE_NAME_ANY' } },
    },
  },
}

async function openSpace(
  store: TupleStore,
  api: OpenFgaApi,
  model: string | object,
  tuples: readonly Tuple[],
  result: MatrixResult,
): Promise<Space> {
  const { id } = await store.createStore('matrix')
  await api.writeAuthorizationModel(id, typeof model === 'string' ? parseModel(model) : model)
  for (let from = 0; from < tuples.length; from += writtenTogether)
    await api.write(id, { writes: { tuple_keys: tuples.slice(from, from + writtenTogether) } })
  return { api, id, result }
}

async function ask({ api, id, result }: Space, stage: string, assertion: MatrixCheck): Promise<void> {
  const { name, tuple, context, expectation } = assertion
  const { user, relation, object } = tuple
  const told = (what: string, got: unknown): void => {
    result.wrong.push(`${stage}, ${name}: ${what} is ${JSON.stringify(got)}`)
  }
  const key = { user, relation, object }
  const check = await answered(async () => (await api.check(id, { tuple_key: key, context })).allowed)
  result.asked.checks++
  if (check !== (assertion.checkError || expectation)) told('the check', check)

  const [type = '', ...rest] = object.split(':')
  const objects = await answered(
    async () => (await api.listObjects(id, { type, relation, user, context })).objects,
  )
  result.asked.listObjects++
  const listError = assertion.listObjectsError
  if (
    listError !== 0
      ? objects !== listError
      : !fits(objects, object, assertion.isAnyList ? undefined : expectation)
  )
    told('the list of objects', objects)

  const [userObject = '', userRelation = ''] = user.split('#')
  const filter = { type: userObject.slice(0, userObject.indexOf(':')), relation: userRelation }
  const users = await answered(async () => {
    const asked = { object: { type, id: rest.join(':') }, relation, user_filters: [filter], context }
    return (await api.listUsers(id, asked)).users.map((each) => {
      if ('wildcard' in each) return `${each.wildcard.type}:*`
      if ('object' in each) return `${each.object.type}:${each.object.id}`
      return `${each.userset.type}:${each.userset.id}#${each.userset.relation}`
    })
  })
  result.asked.listUsers++
  const usersError = assertion.listUsersError
  // Where everyone has it, OpenFGA's runner looks no further.
  const isPublic = expectation && typeof users !== 'number' && users.some((each) => each.endsWith(':*'))
  if (usersError !== 0 ? users !== usersError : !fits(users, user, isPublic ? undefined : expectation))
    told('the list of users', users)
}

async function list({ api, id, result }: Space, stage: string, asked: MatrixList): Promise<void> {
  const { user, type, relation, context, expectation } = asked
  const body = { type, relation, user, context }
  const expected = JSON.stringify(expectation.toSorted())
  const objects = await answered(async () => (await api.listObjects(id, body)).objects.toSorted())
  const streamed = await answered(async () => {
    const each = await Array.fromAsync(api.streamedListObjects(id, body), ({ object }) => object)
    return each.toSorted()
  })
  result.asked.lists++
  result.asked.streamed++
  for (const got of [objects, streamed]) {
    if (JSON.stringify(got) !== expected)
      result.wrong.push(`${stage}: ${JSON.stringify({ ...body, expected, got })}`)
  }
  if (typeof objects === 'number') return
  for (const object of objects) {
    const check = await answered(
      async () => (await api.check(id, { tuple_key: { user, relation, object }, context })).allowed,
    )
    result.asked.listedAgain++
    if (check !== true)
      result.wrong.push(`${stage}: ${object} is listed, but its check is ${JSON.stringify(check)}`)
  }
}

/** The answer, or OpenFGA's number of the error. */
async function answered<Answer>(question: () => Promise<Answer>): Promise<Answer | number> {
  try {
    return await question()
  } catch (error) {
    if (isZanzibarError(error)) return error.number
    throw error
  }
}

/** Whether it is a list, and has the item or not; where nothing is expected, any list. */
function fits(got: readonly string[] | number, item: string, expected: boolean | undefined): boolean {
  return typeof got !== 'number' && (expected === undefined || got.includes(item) === expected)
}

function shuffled<Item>(items: readonly Item[], random: () => number): readonly Item[] {
  return items
    .map((item): [number, Item] => [random(), item])
    .toSorted(([a], [b]) => a - b)
    .map(([, item]) => item)
}
