import { Buffer } from 'node:buffer'
import { compileCondition } from '../../../src/condition/condition.ts'
import {
  isZanzibarError,
  lintModel,
  type OpenFgaApi,
  openFgaApi,
  openFgaLimits,
  openZanzibar,
  parseModel,
  parseModules,
  printModel,
  type TupleKey,
  type TupleStore,
  validateDsl,
  type Zanzibar,
} from '../../../src/index.ts'
import { validateModel } from '../../../src/model/validate-model.ts'
import { type Chance, mutated, randomBody, randomDsl, randomIdentifier, randomTriple } from './inputs.ts'

/** One kind of input. */
export interface Target {
  readonly name: string
  /** Draws an input; `put` gives it to whatever takes it, and throws what that throws. */
  draw(chance: Chance): { readonly input: unknown; put(): Promise<void> }
}

const model = `
model
  schema 1.1
type user
type group
  relations
    define member: [user, user:*, group#member]
type doc
  relations
    define parent: [doc]
    define blocked: [user]
    define viewer: ([user, group#member] or viewer from parent) but not blocked`

/** What the whole ones of the bodies ask of. */
const bodyModel = {
  schema_version: '1.1',
  type_definitions: [
    { type: 'user' },
    {
      type: 'group',
      relations: { member: { this: {} } },
      metadata: { relations: { member: { directly_related_user_types: [{ type: 'user' }] } } },
    },
    {
      type: 'document',
      relations: { viewer: { this: {} } },
      metadata: {
        relations: {
          viewer: {
            directly_related_user_types: [
              { type: 'user' },
              { type: 'user', condition: 'in_time' },
              { type: 'group', relation: 'member' },
            ],
          },
        },
      },
    },
  ],
  conditions: {
    in_time: {
      name: 'in_time',
      expression: 'now < timestamp("2030-01-01T00:00:00Z") && size(list) > 1 && has(deep.a)',
      parameters: {
        now: { type_name: 'TYPE_NAME_TIMESTAMP' },
        list: { type_name: 'TYPE_NAME_LIST', generic_types: [{ type_name: 'TYPE_NAME_ANY' }] },
        deep: { type_name: 'TYPE_NAME_MAP', generic_types: [{ type_name: 'TYPE_NAME_ANY' }] },
      },
    },
  },
}

function target<Input>(
  name: string,
  drawInput: (chance: Chance) => Input,
  putInput: (input: Input) => Promise<void>,
): Target {
  const draw = (chance: Chance): ReturnType<Target['draw']> => {
    const input = drawInput(chance)
    return { input, put: () => putInput(input) }
  }
  return { name, draw }
}

/** All that takes input from outside, over one store. */
export async function targetsOn(store: TupleStore): Promise<readonly Target[]> {
  const zanzibar = await openZanzibar({ store, model, name: 'fuzz', tokenWait: 1 })
  const { token } = await zanzibar.write({ add: [['user:a', 'viewer', 'doc:d']], onDuplicate: 'ignore' })
  const limits = { ...openFgaLimits, listObjectsDeadline: 0, listUsersDeadline: 0 }
  const api = openFgaApi({ store, limits })
  const space = await store.createStore('fuzz')
  await api.writeAuthorizationModel(space.id, bodyModel)
  const { id: modelId = '' } = (await store.readModel(space.id)) ?? {}
  // The bodies name a model that is nowhere.
  const known = (body: string): string => body.replaceAll('01HVMMBCMGZNT3SED4Z17ECXCA', modelId)
  return [
    target('identifiers', randomTriple, (given) => putIdentifiers(zanzibar, given)),
    target('bodies', randomBody, ({ rpc, body }) => call(api, space.id, rpc, known(body))),
    target('models', randomDsl, async (text) => putDsl(text)),
    target(
      'tokens',
      (chance) => randomToken(chance, token),
      (given) => putToken(zanzibar, api, space.id, given),
    ),
  ]
}

/** Every call is made, whatever those before it throw. */
async function each(...calls: readonly (() => Promise<unknown>)[]): Promise<void> {
  let refusal: unknown
  for (const one of calls) {
    try {
      await one()
    } catch (error) {
      if (!isZanzibarError(error) || error.code === 'internal_error') throw error
      refusal ??= error
    }
  }
  if (refusal !== undefined) throw refusal
}

async function putIdentifiers(zanzibar: Zanzibar, { user, relation, object }: TupleKey): Promise<void> {
  const key = { user, relation, object }
  await each(
    () => zanzibar.check(user, relation, object),
    () => zanzibar.check(user, relation, object, { contextualTuples: [key] }),
    () => zanzibar.explain(user, relation, object),
    () => zanzibar.expand(object, relation, { depth: 2 }),
    () => zanzibar.listUsers(object, relation, user.replace(/:[^#]*/, '')),
    () => Array.fromAsync(zanzibar.listObjects(user, relation, object.split(':')[0] ?? '')),
    () => zanzibar.listObjectsPage(user, relation, 'doc', { limit: 1 }),
    () => Array.fromAsync(zanzibar.read(key)),
    async () => {
      await zanzibar.write({ add: [key], onDuplicate: 'ignore' })
      // What is taken is there, and is found again.
      const found = await Array.fromAsync(zanzibar.read(key))
      if (found.length !== 1) throw new TypeError(`written, and found ${found.length} times`)
      await zanzibar.write({ remove: [key] })
    },
    () => zanzibar.write({ removeWhere: [key], if: [{ filter: key, exists: false }] }),
  )
}

function putDsl(text: string): void {
  validateDsl(text)
  try {
    parseModules([{ name: 'a.fga', text }])
  } catch (error) {
    if (!isZanzibarError(error)) throw error
  }
  const parsed = parseModel(text)
  lintModel(parsed)
  validateModel(parsed, openFgaLimits, compileCondition)
  const printed = printModel(parsed)
  if (printModel(parseModel(printed)) !== printed) throw new TypeError(`printed twice it differs: ${printed}`)
}

interface RandomToken {
  readonly token: string
  readonly isQuery: boolean
}

function randomToken(chance: Chance, valid: string): RandomToken {
  const kind = chance.below(4)
  const bytes = Buffer.from(valid, 'base64url')
  bytes[chance.below(bytes.length)] = chance.below(256)
  const cursor = `${valid}.${Buffer.from(randomIdentifier(chance)).toString('base64url')}`
  const texts = [
    randomIdentifier(chance),
    bytes.toString('base64url'),
    mutated(chance, valid, ['A', '=', '.', '-', 'é']),
  ]
  const token = texts[kind] ?? mutated(chance, cursor, ['.', 'A', '=', ''])
  return { token, isQuery: chance.below(2) === 0 }
}

async function putToken(
  zanzibar: Zanzibar,
  api: OpenFgaApi,
  id: string,
  { token, isQuery }: RandomToken,
): Promise<void> {
  const query = new URLSearchParams({ continuation_token: token, page_size: isQuery ? token : '2' })
  const body = { continuation_token: token }
  const asked = { tuple_key: { user: 'user:a', relation: 'viewer', object: 'doc:d' } }
  await each(
    () => zanzibar.check('user:a', 'viewer', 'doc:d', { atLeast: token }),
    () => zanzibar.check('user:a', 'viewer', 'doc:d', { exactly: token }),
    () => zanzibar.listObjectsPage('user:a', 'viewer', 'doc', { limit: 1, after: token }),
    async () => {
      for await (const _ of zanzibar.watch({ from: token, signal: AbortSignal.abort() }));
    },
    () => api.check(id, asked, { atLeast: token }),
    () => api.read(id, body),
    () => api.listStores(query),
    () => api.readChanges(id, query),
    () => api.readAuthorizationModels(id, query),
  )
}

async function call(api: OpenFgaApi, id: string, rpc: string, body: string): Promise<void> {
  switch (rpc) {
    case 'create-store': {
      const { id: made } = await api.createStore(body)
      if (typeof made === 'string') await api.deleteStore(made)
      return
    }
    case 'check':
      await api.check(id, body)
      return
    case 'batch-check':
      await api.batchCheck(id, body)
      return
    case 'expand':
      await api.expand(id, body)
      return
    case 'list-objects':
      await each(
        () => api.listObjects(id, body),
        () => Array.fromAsync(api.streamedListObjects(id, body)),
      )
      return
    case 'list-users':
      await api.listUsers(id, body)
      return
    case 'read':
      await api.read(id, body)
      return
    case 'write':
      await api.write(id, body)
      return
    case 'authorization-models':
      await api.writeAuthorizationModel(id, body)
      return
    default:
      await api.writeAssertions(id, '01HVMMBCMGZNT3SED4Z17ECXCA', body)
  }
}
