import { isZanzibarError, ZanzibarError } from '../errors.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { TupleStore } from '../store/tuple-store.ts'
import type { StoreTest } from '../store-file/store-file.ts'
import { splitObject, typeOf } from '../tuple/object.ts'
import type { Context, Tuple } from '../tuple/tuple.ts'
import { type OpenFgaApi, openFgaApi } from '../wire/openfga-api.ts'
import type { UserJson } from '../wire/rpc/list-users.ts'
import { explanationLines } from './explained.ts'
import { modelLine } from './model-line.ts'
import type { Answer } from './questions.ts'
import { type LoadedStore, loadStore } from './read-store-file.ts'
import { treeLines } from './tree-lines.ts'

/** What came of the tests of one store file. */
interface StoreReport {
  readonly path: string
  readonly passed: number
  readonly failures: readonly Failure[]
}

/** An expectation that does not hold, or a file that cannot be tested. */
interface Failure {
  readonly test: string
  /** What was expected, and what it is. */
  readonly problem: string
  /** Where the model says so, and why it comes to that. */
  readonly lines: readonly string[]
}

/** Runs store files, one after the other; what does not hold is told. */
export async function testStores(paths: readonly string[]): Promise<Answer> {
  if (paths.length === 0) throw new ZanzibarError('invalid_option', 'say which files: FILE.fga.yaml…')
  const lines: string[] = []
  let passed = 0
  let failed = 0
  for (const path of paths) {
    const report = await testStore(path)
    passed += report.passed
    failed += report.failures.length
    for (const { test, problem, lines: why } of report.failures) {
      lines.push(`FAILED ${path}: ${test}: ${problem}`, ...why.map((line) => `  ${line}`))
    }
  }
  lines.push(`${paths.length} files, ${passed} expectations hold, ${failed} do not`)
  return { lines, failed: failed > 0 }
}

/** Runs the tests of a store file, each on a store of its own with the file's tuples and the test's. */
async function testStore(path: string): Promise<StoreReport> {
  try {
    const loaded = await loadStore(path)
    const failures: Failure[] = []
    let passed = 0
    for (const [index, test] of loaded.file.tests.entries()) {
      const ran = await runTest(loaded, test, loaded.testTuples[index] ?? [])
      passed += ran.passed
      failures.push(...ran.failures)
    }
    return { path, passed, failures }
  } catch (error) {
    if (!isZanzibarError(error)) throw error
    return { path, passed: 0, failures: [{ test: 'the file', problem: error.message, lines: [] }] }
  }
}

interface Asked {
  readonly api: OpenFgaApi
  readonly store: TupleStore
  readonly storeId: string
  readonly loaded: LoadedStore
}

type Outcome = Omit<Failure, 'test'> | undefined

async function runTest(
  loaded: LoadedStore,
  test: StoreTest,
  tuples: readonly Tuple[],
): Promise<Pick<StoreReport, 'passed' | 'failures'>> {
  await using store = memoryStore()
  const api = openFgaApi({ store, limits: { listObjectsDeadline: 0, listUsersDeadline: 0 } })
  const { id: storeId } = await store.createStore('tested')
  const asked: Asked = { api, store, storeId, loaded }
  await api.writeAuthorizationModel(storeId, loaded.model.model)
  await writeTuples(asked, [...loaded.tuples, ...tuples])
  const outcomes: Outcome[] = []
  for (const check of test.checks) outcomes.push(await checkOutcome(asked, check))
  for (const list of test.listObjects) outcomes.push(await listObjectsOutcome(asked, list))
  for (const list of test.listUsers) outcomes.push(await listUsersOutcome(asked, list))
  const failures = outcomes.flatMap((each) => (each === undefined ? [] : [{ test: test.name, ...each }]))
  return { passed: outcomes.length - failures.length, failures }
}

const tuplesPerWrite = 100

/** Of a tuple that is given twice, the last one counts: a test's stands in the place of the file's. */
async function writeTuples({ api, storeId }: Asked, tuples: readonly Tuple[]): Promise<void> {
  const byKey = new Map(
    tuples.map((tuple) => [JSON.stringify([tuple.object, tuple.relation, tuple.user]), tuple]),
  )
  const unique = [...byKey.values()]
  for (let at = 0; at < unique.length; at += tuplesPerWrite) {
    await api.write(storeId, { writes: { tuple_keys: unique.slice(at, at + tuplesPerWrite) } })
  }
}

async function checkOutcome(asked: Asked, expected: StoreTest['checks'][number]): Promise<Outcome> {
  const { user, relation, object, context, allowed } = expected
  const body = { tuple_key: { user, relation, object }, context }
  const found = await told(async () => (await asked.api.check(asked.storeId, body)).allowed)
  if (isExpected(found, allowed)) return undefined
  const question = `check ${user} ${relation} ${object}${shownContext(context)}`
  const difference = {
    question,
    object,
    relation,
    expected: String(allowed ?? 'conditional'),
    found: found.text,
  }
  const { store, storeId, loaded } = asked
  if (found.answer === undefined) return await failure(asked, difference)
  const why = await explanationLines({ store, storeId, key: { user, relation, object }, context })
  return {
    problem: problemOf(difference),
    lines: [modelLine(loaded.model, typeOf(object), relation), ...why],
  }
}

async function listObjectsOutcome(
  asked: Asked,
  expected: StoreTest['listObjects'][number],
): Promise<Outcome> {
  const { user, relation, type, context, objects } = expected
  const body = { user, relation, type, context }
  const found = await told(async () => [...(await asked.api.listObjects(asked.storeId, body)).objects])
  const expectedText = listText(objects)
  if (found.text === expectedText) return undefined
  const question = `list_objects ${user} ${relation} ${type}${shownContext(context)}`
  return await failure(asked, {
    question,
    object: `${type}:`,
    relation,
    expected: expectedText,
    found: found.text,
  })
}

async function listUsersOutcome(asked: Asked, expected: StoreTest['listUsers'][number]): Promise<Outcome> {
  const { object, relation, filter, context, users } = expected
  const [type = '', relationOfFilter] = filter.split('#')
  const { type: objectType, id } = splitObject(object)
  const body = {
    object: { type: objectType, id },
    relation,
    user_filters: [{ type, relation: relationOfFilter }],
    context,
  }
  const found = await told(async () => (await asked.api.listUsers(asked.storeId, body)).users.map(userText))
  const expectedText = listText(users)
  if (found.text === expectedText) return undefined
  const question = `list_users ${object} ${relation} ${filter}${shownContext(context)}`
  return await failure(asked, { question, object, relation, expected: expectedText, found: found.text })
}

/** What depends on parameters that are not given is an error of the API. */
function isExpected({ answer, text }: Told<boolean>, allowed: boolean | undefined): boolean {
  return allowed === undefined ? text.includes(' is missing context parameters ') : answer === allowed
}

interface Told<T> {
  readonly answer: T | undefined
  readonly text: string
}

/** An answer and its text; an error is a text only. */
async function told<T extends boolean | readonly string[]>(ask: () => Promise<T>): Promise<Told<T>> {
  try {
    const answer = await ask()
    return { answer, text: typeof answer === 'boolean' ? String(answer) : listText(answer) }
  } catch (error) {
    if (!isZanzibarError(error)) throw error
    return { answer: undefined, text: `an error: ${error.message}` }
  }
}

interface Difference {
  readonly question: string
  /** `type:id`; `type:` where there is no one object. */
  readonly object: string
  readonly relation: string
  readonly expected: string
  readonly found: string
}

async function failure({ api, storeId, loaded }: Asked, difference: Difference): Promise<Outcome> {
  const { object, relation } = difference
  const lines = [modelLine(loaded.model, typeOf(object), relation)]
  if (!object.endsWith(':')) {
    const tree = await told(async () =>
      treeLines((await api.expand(storeId, { tuple_key: { object, relation } })).tree.root),
    )
    lines.push(...(tree.answer ?? [tree.text]))
  }
  return { problem: problemOf(difference), lines }
}

function problemOf({ question, expected, found }: Difference): string {
  return `${question}: expected ${expected}, is ${found}`
}

function userText(user: UserJson): string {
  if ('wildcard' in user) return `${user.wildcard.type}:*`
  if ('object' in user) return `${user.object.type}:${user.object.id}`
  return `${user.userset.type}:${user.userset.id}#${user.userset.relation}`
}

const listText = (names: readonly string[]): string => `[${names.toSorted().join(', ')}]`

function shownContext(context: Context | undefined): string {
  return context === undefined ? '' : ` ${JSON.stringify(context)}`
}
