import {
  ClientWriteRequestOnDuplicateWrites,
  ConsistencyPreference,
  CredentialsMethod,
  FgaError,
  OpenFgaClient,
  parseNDJSONStream,
} from '@openfga/sdk'
import { parseModel } from '../../src/dsl/parse-model.ts'

const model = parseModel(`model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
type document
  relations
    define blocked: [user]
    define owner: [user, user with in_time]
    define viewer: [user:*, group#member] or owner
    define reader: viewer but not blocked
condition in_time(now: int, until: int) {
  now < until
}
`)

/** What a client was told, step by step: ids and times left out, which are another server's own. */
export type Tour = Readonly<Record<string, unknown>>

/** Calls every method of OpenFGA's client on the server at `apiUrl`. */
export async function sdkTour(apiUrl: string, token?: string): Promise<Tour> {
  const steps: Record<string, unknown> = {}
  const credentials =
    token === undefined ? undefined : { method: CredentialsMethod.ApiToken as const, config: { token } }
  const connect = (ids: { storeId?: string; authorizationModelId?: string }): OpenFgaClient =>
    new OpenFgaClient({ apiUrl, ...ids, ...(credentials && { credentials }), retryParams: { maxRetry: 0 } })

  const visitor = connect({})
  const created = await visitor.createStore({ name: 'sdk tour' })
  const storeId = created.id
  steps['createStore'] = shape(created)
  const admin = connect({ storeId })
  steps['getStore'] = shape(await admin.getStore())
  steps['listStores'] = shape((await visitor.listStores({ pageSize: 100, name: 'sdk tour' })).stores.at(-1))
  steps['no model'] = await failure(
    admin.check({ user: 'user:anne', relation: 'viewer', object: 'document:1' }),
  )
  const written = await admin.writeAuthorizationModel(JSON.parse(JSON.stringify(model)))
  const authorizationModelId = written.authorization_model_id
  steps['writeAuthorizationModel'] = shape(written)
  steps['readAuthorizationModels'] = shape(await admin.readAuthorizationModels({ pageSize: 1 }))
  steps['readLatestAuthorizationModel'] = shape(await admin.readLatestAuthorizationModel())
  const client = connect({ storeId, authorizationModelId })
  steps['readAuthorizationModel'] = shape(await client.readAuthorizationModel())
  await tuples(client, steps)
  await questions(client, steps)
  await assertions(client, steps)
  await anyRequest(client, storeId, steps)
  await client.deleteStore()
  steps['deleted'] = await failure(client.getStore())
  return steps
}

async function tuples(client: OpenFgaClient, steps: Record<string, unknown>): Promise<void> {
  const anne = { user: 'user:anne', relation: 'owner', object: 'document:1' }
  const late = { name: 'in_time', context: { until: 10 } }
  steps['write'] = shape(
    await client.write({
      writes: [anne, { user: 'user:bob', relation: 'owner', object: 'document:2', condition: late }],
    }),
  )
  steps['writeTuples'] = shape(
    await client.writeTuples([
      { user: 'group:eng#member', relation: 'viewer', object: 'document:1' },
      { user: 'user:carl', relation: 'member', object: 'group:eng' },
      { user: 'user:*', relation: 'viewer', object: 'document:3' },
      { user: 'user:dan', relation: 'blocked', object: 'document:3' },
      { user: 'user:old', relation: 'blocked', object: 'document:1' },
    ]),
  )
  steps['write twice'] = await failure(client.write({ writes: [anne] }))
  steps['write ignoring'] = shape(
    await client.write(
      { writes: [anne] },
      { conflict: { onDuplicateWrites: ClientWriteRequestOnDuplicateWrites.Ignore } },
    ),
  )
  steps['write one by one'] = shape(
    await client.write(
      { writes: [anne, { user: 'user:eve', relation: 'owner', object: 'document:4' }] },
      { transaction: { disable: true, maxPerChunk: 1 } },
    ),
  )
  steps['deleteTuples'] = shape(
    await client.deleteTuples([{ user: 'user:old', relation: 'blocked', object: 'document:1' }]),
  )
  steps['delete missing'] = await failure(
    client.deleteTuples([{ user: 'user:old', relation: 'blocked', object: 'document:1' }]),
  )
  steps['read'] = shape(await client.read({ object: 'document:1' }))
  const first = await client.read({}, { pageSize: 2 })
  steps['read a page'] = shape(first)
  steps['read the next'] = shape(
    await client.read({}, { pageSize: 100, continuationToken: first.continuation_token }),
  )
  const changes = await client.readChanges({ type: 'document' }, { pageSize: 3 })
  steps['readChanges'] = shape(changes)
  steps['changes of another type'] = await failure(
    client.readChanges({ type: 'group' }, { continuationToken: changes.continuation_token ?? '' }),
  )
  steps['refused tuple'] = await failure(
    client.writeTuples([{ user: 'group:1', relation: 'owner', object: 'document:1' }]),
  )
}

async function questions(client: OpenFgaClient, steps: Record<string, unknown>): Promise<void> {
  const context = { now: 5 }
  const carl = { user: 'user:carl', relation: 'reader', object: 'document:1' }
  steps['check'] = shape(await client.check(carl, { consistency: ConsistencyPreference.HigherConsistency }))
  steps['check contextual'] = shape(
    await client.check({
      ...carl,
      contextualTuples: [{ user: 'user:carl', relation: 'blocked', object: 'document:1' }],
    }),
  )
  steps['check conditional'] = shape(
    await client.check({ user: 'user:bob', relation: 'owner', object: 'document:2', context }),
  )
  steps['check without context'] = await failure(
    client.check({ user: 'user:bob', relation: 'owner', object: 'document:2' }),
  )
  steps['check undefined'] = await failure(
    client.check({ user: 'user:bob', relation: 'nope', object: 'document:2' }),
  )
  const asked = [
    { ...carl, correlationId: 'a' },
    { user: 'user:dan', relation: 'reader', object: 'document:3', correlationId: 'b' },
    { user: 'user:bob', relation: 'owner', object: 'document:2', correlationId: 'c' },
    { user: 'user:bob', relation: 'nope', object: 'document:2', correlationId: 'd' },
  ]
  steps['batchCheck'] = shape((await client.batchCheck({ checks: asked })).result)
  steps['clientBatchCheck'] = shape((await client.clientBatchCheck(asked.slice(0, 2))).result)
  steps['expand'] = shape(await client.expand({ relation: 'reader', object: 'document:1' }))
  const listed = { user: 'user:dan', relation: 'viewer', type: 'document' }
  steps['listObjects'] = shape(await client.listObjects(listed))
  const streamed: string[] = []
  for await (const { object } of client.streamedListObjects({ ...listed, user: 'user:carl' }))
    streamed.push(object)
  steps['streamedListObjects'] = streamed.toSorted()
  steps['listRelations'] = shape(
    await client.listRelations({
      user: 'user:carl',
      object: 'document:1',
      relations: ['owner', 'viewer', 'reader'],
    }),
  )
  steps['listUsers'] = shape(
    await client.listUsers({
      object: { type: 'document', id: '3' },
      relation: 'reader',
      user_filters: [{ type: 'user' }],
    }),
  )
  steps['listUsers of usersets'] = shape(
    await client.listUsers({
      object: { type: 'document', id: '1' },
      relation: 'viewer',
      user_filters: [{ type: 'group', relation: 'member' }],
    }),
  )
}

async function assertions(client: OpenFgaClient, steps: Record<string, unknown>): Promise<void> {
  steps['no assertions'] = shape(await client.readAssertions())
  await client.writeAssertions([
    { user: 'user:carl', relation: 'reader', object: 'document:1', expectation: true },
    { user: 'user:dan', relation: 'reader', object: 'document:3', expectation: false },
  ])
  steps['readAssertions'] = shape(await client.readAssertions())
}

async function anyRequest(
  client: OpenFgaClient,
  storeId: string,
  steps: Record<string, unknown>,
): Promise<void> {
  await client.checkValidApiConnection()
  const listing = { type: 'document', relation: 'viewer', user: 'user:anne' }
  const request = { operationName: 'List', method: 'POST' as const, body: listing }
  steps['executeApiRequest'] = shape(
    await client.executeApiRequest({ ...request, path: `/stores/${storeId}/list-objects` }),
  )
  const stream: unknown = await client.executeStreamedApiRequest({
    ...request,
    path: `/stores/${storeId}/streamed-list-objects`,
  })
  const lines: string[] = []
  for await (const line of parseNDJSONStream(stream as AsyncIterable<Uint8Array>))
    lines.push(JSON.stringify(line))
  steps['executeStreamedApiRequest'] = lines.toSorted()
}

async function failure(answer: Promise<unknown>): Promise<unknown> {
  try {
    await answer
    return 'no failure'
  } catch (error) {
    if (!(error instanceof FgaError)) throw error
    const { statusCode, apiErrorCode, responseData } = error as FgaError & {
      statusCode?: number
      apiErrorCode?: string
      responseData?: unknown
    }
    return shape({ kind: error.constructor.name, statusCode, apiErrorCode, responseData })
  }
}

const own = new Set([
  'id',
  'authorization_model_id',
  'created_at',
  'updated_at',
  'timestamp',
  'continuation_token',
  '$response',
  'err',
])
const unordered = new Set(['objects', 'users', 'relations', 'result', 'tuples', 'changes'])

/** What is the same for every server: values of its own are shown by whether they are there, lists without order in order. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape)
  if (typeof value === 'string') return value.replace(/[0-9A-HJKMNP-TV-Z]{26}/g, '…')
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([key, each]) => {
        if (key === '$response' || key === 'err') return []
        if (own.has(key) && typeof each === 'string') return [[key, each === '' ? '' : '…']]
        const shaped = shape(each)
        const sorted =
          unordered.has(key) && Array.isArray(shaped)
            ? shaped.map((one) => JSON.stringify(one)).toSorted()
            : shaped
        return [[key, sorted]]
      }),
  )
}
