import { type ComparisonReport, compareWithOracle } from '@loadbearing/harness/oracle'
import fc from 'fast-check'
import { isZanzibarError } from '../../src/errors.ts'
import type { RelationReference, Userset } from '../../src/model/authorization-model.ts'
import type { TupleStore } from '../../src/store/tuple-store.ts'
import { openFgaApi } from '../../src/wire/openfga-api.ts'
import { startOpenFga } from '../openfga.ts'
import { openTestStore } from '../stores/open-test-store.ts'
import type { ComparisonOptions } from './comparisons.ts'

/** A model, mostly broken, and writes of tuples under it, mostly refused. */
export interface WriteCase {
  readonly model: object
  readonly writes: readonly object[]
}

/** `ok`, or the code and the message of an error; of the model, then of each write. */
export type WriteAnswers = readonly string[]

const names = ['a', 'b', 'c', 'p']
const types = ['user', 'group', 'doc']

/** What is odd once in a while. */
function seldom<T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>, weight = 60): fc.Arbitrary<T> {
  return fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: odd })
}

const name = seldom(fc.constantFrom(...names), fc.constantFrom('zz', 'constructor'))
const self: Userset = { this: {} }

const { rewrite } = fc.letrec<{ rewrite: Userset; operands: readonly Userset[] }>((tie) => ({
  operands: seldom(
    fc.array(tie('rewrite'), { minLength: 2, maxLength: 3 }),
    fc.array(tie('rewrite'), { maxLength: 1 }),
  ),
  rewrite: fc.oneof(
    { maxDepth: 2 },
    { weight: 4, arbitrary: fc.constant(self) },
    { weight: 2, arbitrary: name.map((relation): Userset => ({ computedUserset: { relation } })) },
    {
      weight: 2,
      arbitrary: fc.tuple(seldom(fc.constant('p'), name, 9), name).map(
        ([tupleset, relation]): Userset => ({
          tupleToUserset: { tupleset: { relation: tupleset }, computedUserset: { relation } },
        }),
      ),
    },
    { weight: 3, arbitrary: tie('operands').map((child): Userset => ({ union: { child } })) },
    { weight: 1, arbitrary: tie('operands').map((child): Userset => ({ intersection: { child } })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(tie('rewrite'), tie('rewrite'))
        .map(([base, subtract]): Userset => ({ difference: { base, subtract } })),
    },
  ),
}))

const condition = fc.constantFrom(undefined, undefined, undefined, 'cc', 'none')
const restriction: fc.Arbitrary<RelationReference> = fc
  .record({
    type: seldom(fc.constantFrom(...types), fc.constant('nope')),
    shape: fc.constantFrom('object', 'object', 'wildcard', 'userset'),
    relation: name,
    condition: seldom(fc.constantFrom(undefined, undefined, 'cc'), condition),
  })
  .map(({ type, shape, relation, condition: bound }) => ({
    type,
    ...(shape === 'wildcard' ? { wildcard: {} } : {}),
    ...(shape === 'userset' && type !== 'user' ? { relation } : {}),
    ...(bound === undefined ? {} : { condition: bound }),
  }))

interface Drawn {
  readonly relation: string
  readonly rewrite: Userset
  readonly users: readonly RelationReference[]
}

const tupleset: fc.Arbitrary<Drawn> = fc.record({
  relation: fc.constant('p'),
  rewrite: seldom(fc.constant(self), rewrite),
  users: seldom<readonly RelationReference[]>(
    fc.constantFrom<readonly RelationReference[]>([{ type: 'doc' }], [{ type: 'group' }, { type: 'doc' }]),
    fc.array(restriction),
    9,
  ),
})
const relation: fc.Arbitrary<Drawn> = fc.record({
  relation: seldom(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('this', 'self')),
  rewrite,
  users: seldom<readonly RelationReference[]>(
    fc.array(restriction, { minLength: 1, maxLength: 3 }),
    fc.constant([]),
  ),
})

function definition(type: string, drawn: readonly Drawn[]): object {
  return {
    type,
    relations: Object.fromEntries(drawn.map((each) => [each.relation, each.rewrite])),
    metadata: {
      relations: Object.fromEntries(
        drawn
          .filter((each) => JSON.stringify(each.rewrite).includes('"this"'))
          .map((each) => [each.relation, { directly_related_user_types: each.users }]),
      ),
    },
  }
}

const relationsOf = fc
  .tuple(tupleset, fc.uniqueArray(relation, { selector: (each) => each.relation, maxLength: 3 }))
  .map(([parent, others]) => [parent, ...others])

const model = fc
  .record({
    version: seldom(fc.constantFrom('1.1', '1.2'), fc.constantFrom('1.0', '')),
    group: relationsOf,
    doc: relationsOf,
    again: seldom(fc.constant<readonly object[]>([]), fc.constant([{ type: 'user' }])),
    key: seldom(fc.constant('cc'), fc.constant('dd')),
  })
  .map(({ version, group, doc, again, key }) => ({
    schema_version: version,
    type_definitions: [{ type: 'user' }, definition('group', group), definition('doc', doc), ...again],
    conditions: {
      [key]: { name: 'cc', expression: 'x < 3', parameters: { x: { type_name: 'TYPE_NAME_INT' } } },
    },
  }))

const object = fc.constantFrom(
  'doc:1',
  'doc:1',
  'doc:2',
  'group:1',
  'group:1',
  'doc:*',
  'nope:1',
  'doc',
  'doc:1:2',
  'doc:1#a',
  'd:',
)
const user = fc.constantFrom(
  'user:1',
  'user:2',
  'user:*',
  'group:1',
  'group:1#a',
  'doc:1#b',
  'doc:2',
  'group:1#zz',
  'group:*',
  'nope:1',
  'anne',
  '*',
  'user:a:b',
  'user:',
  'user:a#',
  'a#b#c',
  'user:\u0001',
  'user:*#a',
  ':1',
)
const bound = fc.constantFrom(
  undefined,
  undefined,
  { name: 'cc', context: { x: 1 } },
  { name: 'cc' },
  { name: 'cc', context: { y: 1 } },
  { name: 'cc', context: { x: 'a\u0007' } },
  { name: 'zz' },
)
const key = fc.record({ user, relation: fc.constantFrom(...names, 'zz'), object })
const written = fc
  .tuple(key, bound)
  .map(([each, how]) => (how === undefined ? each : { ...each, condition: how }))
const request = fc.record({
  writes: fc.option(
    fc.record({
      tuple_keys: fc.array(written, { minLength: 1, maxLength: 2 }),
      on_duplicate: fc.constantFrom('', 'error', 'ignore', 'odd'),
    }),
    { nil: undefined, freq: 6 },
  ),
  deletes: fc.option(
    fc.record({
      tuple_keys: fc.array(key, { minLength: 1, maxLength: 2 }),
      on_missing: fc.constantFrom('', 'error', 'ignore'),
    }),
    { nil: undefined, freq: 3 },
  ),
})

const writeCase: fc.Arbitrary<WriteCase> = fc.record({
  model,
  writes: fc.array(request, { minLength: 1, maxLength: 30, size: 'max' }),
})

/** Compares what is refused, and in which words. */
export async function compareWrites({
  seed,
  runs,
  store: kind,
}: ComparisonOptions): Promise<
  ComparisonReport<WriteCase, WriteAnswers, WriteAnswers> | { missing: string }
> {
  const peer = await startOpenFga()
  if ('missing' in peer) return peer
  await using running = peer
  await using opened = await openTestStore(kind)
  return await compareWithOracle({
    arbitrary: writeCase,
    seed,
    runs,
    maxDifferences: 3,
    ours: (given) => ours(opened.store, given),
    theirs: (given) => theirs(running.url, given),
    known: [
      {
        reason: 'of several reserved names OpenFGA tells the one that its map gives first',
        covers: (_, mine, other) =>
          [mine, other].every(([first = '']) => first.endsWith('self and this are reserved keywords')),
      },
    ],
    equal: (mine, other) => mine.length === other.length && mine.every((each, at) => each === other[at]),
  })
}

async function ours(store: TupleStore, given: WriteCase): Promise<WriteAnswers> {
  const { id } = await store.createStore('differential')
  const api = openFgaApi({ store })
  const told = async (call: Promise<unknown>): Promise<string> => {
    try {
      await call
      return 'ok'
    } catch (error) {
      if (isZanzibarError(error)) return `${error.code}: ${error.message}`
      throw error
    }
  }
  const answers = [await told(api.writeAuthorizationModel(id, given.model))]
  if (answers[0] === 'ok') for (const each of given.writes) answers.push(await told(api.write(id, each)))
  await store.deleteStore(id)
  return answers
}

async function theirs(url: string, given: WriteCase): Promise<WriteAnswers> {
  const send = async (path: string, body: object): Promise<[string, unknown]> => {
    const response = await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) })
    const answer: unknown = await response.json()
    const read = (field: string): unknown =>
      typeof answer === 'object' && answer !== null ? Reflect.get(answer, field) : undefined
    return [response.ok ? 'ok' : `${String(read('code'))}: ${String(read('message'))}`, read('id')]
  }
  const [, id] = await send('/stores', { name: 'differential' })
  const [model_] = await send(`/stores/${String(id)}/authorization-models`, given.model)
  const answers = [model_]
  if (model_ !== 'ok') return answers
  for (const each of given.writes) answers.push((await send(`/stores/${String(id)}/write`, each))[0])
  return answers
}
