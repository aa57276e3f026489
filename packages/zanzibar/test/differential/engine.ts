import { isDeepStrictEqual } from 'node:util'
import { type ComparisonReport, compareWithOracle } from '@loadbearing/harness/oracle'
import type fc from 'fast-check'
import { isZanzibarError } from '../../src/errors.ts'
import type { TupleStore } from '../../src/store/tuple-store.ts'
import { type OpenFgaApi, openFgaApi } from '../../src/wire/openfga-api.ts'
import { type OpenFga, startOpenFga } from '../openfga.ts'
import { openTestStore } from '../stores/open-test-store.ts'
import type { ComparisonOptions } from './comparisons.ts'
import type { EngineCase, Question } from './engine-case.ts'
import { type EngineAnswer, engineRules, isList, type PeerAnswer } from './engine-rules.ts'
import { knownBy } from './known-rules.ts'

/** OpenFGA did not come to an answer in its time. */
const late = 'late'
const tooLate: PeerAnswer = { seen: [late], isContradicted: false }

/** Says what was seen beside the differences. */
export interface EngineCounts {
  questions: number
  refusedModels: number
  late: number
  askedAgain: number
  /** OpenFGA listed otherwise than it checks, and its checks say what we list. */
  contradicted: number
}

export async function compareEngines(
  cases: fc.Arbitrary<EngineCase>,
  { seed, runs, store: kind }: ComparisonOptions,
  counts: EngineCounts,
): Promise<
  ComparisonReport<EngineCase, readonly EngineAnswer[], readonly PeerAnswer[]> | { missing: string }
> {
  const peer = await Peer.start(counts)
  if ('missing' in peer) return peer
  await using running = peer
  await using opened = await openTestStore(kind)
  const own = (given: EngineCase): Promise<readonly EngineAnswer[]> => ours(opened.store, given)
  return await compareWithOracle({
    arbitrary: cases,
    seed,
    runs,
    maxDifferences: 5,
    ours: own,
    theirs: async (given) => running.answers(given, await own(given)),
    known: knownBy(engineRules, isSame),
    equal: (mine, theirs) =>
      mine.length === theirs.length && mine.every((answer, at) => isSame(answer, theirs[at] ?? unasked)),
  })
}

const unasked: PeerAnswer = { seen: [], isContradicted: false }

function isSame(mine: EngineAnswer, { seen }: PeerAnswer): boolean {
  return seen.some((each) => each === late || isDeepStrictEqual(each, mine))
}

async function ours(store: TupleStore, given: EngineCase): Promise<readonly EngineAnswer[]> {
  const { id } = await store.createStore('differential')
  const api = openFgaApi({ store, limits: { listObjectsDeadline: 0, listUsersDeadline: 0 } })
  const answers = await answersOf(given, (call, body) => callOurs(api, id, call, body))
  await store.deleteStore(id)
  return answers
}

type CallName = 'model' | 'write' | 'check' | 'list-objects' | 'list-users'
/** The body of the answer, or the code of the error. */
type Send = (call: CallName, body: object) => Promise<unknown>

async function callOurs(api: OpenFgaApi, storeId: string, call: CallName, body: object): Promise<unknown> {
  const calls = {
    model: () => api.writeAuthorizationModel(storeId, body),
    write: () => api.write(storeId, body),
    check: () => api.check(storeId, body),
    'list-objects': () => api.listObjects(storeId, body),
    'list-users': () => api.listUsers(storeId, body),
  }
  try {
    return await calls[call]()
  } catch (error) {
    if (isZanzibarError(error)) return error.code
    throw error
  }
}

async function answersOf(given: EngineCase, send: Send): Promise<readonly EngineAnswer[]> {
  const refused = await prepare(given, send)
  if (refused !== undefined) return [refused]
  const answers: EngineAnswer[] = []
  for (const each of given.questions) answers.push(await ask(each, given, send))
  return answers
}

/** Why the model was refused. */
async function prepare({ model, tuples }: EngineCase, send: Send): Promise<string | undefined> {
  const written = await send('model', model)
  if (typeof written === 'string') return written
  for (let at = 0; at < tuples.length; at += 100) {
    const answer = await send('write', { writes: { tuple_keys: tuples.slice(at, at + 100) } })
    if (typeof answer === 'string') throw new Error(`The tuples are refused: ${answer}`)
  }
  return undefined
}

async function ask(
  asked: Question,
  { contextualTuples, context }: EngineCase,
  send: Send,
): Promise<EngineAnswer> {
  const contextual = { tuple_keys: contextualTuples }
  if (asked.kind === 'check') {
    const { user, relation: name, object: what } = asked
    const key = { user, relation: name, object: what }
    return answerOf(
      await send('check', { tuple_key: key, contextual_tuples: contextual, context }),
      'allowed',
    )
  }
  if (asked.kind === 'objects') {
    const { user, relation: name, type: kind } = asked
    const body = { user, relation: name, type: kind, contextual_tuples: contextual, context }
    return answerOf(await send('list-objects', body), 'objects')
  }
  const [kind = '', id = ''] = asked.object.split(':')
  const body = {
    object: { type: kind, id },
    relation: asked.relation,
    user_filters: [asked.filter],
    contextual_tuples: contextualTuples,
    context,
  }
  return answerOf(await send('list-users', body), 'users')
}

function answerOf(answer: unknown, name: string): EngineAnswer {
  if (typeof answer === 'string') return answer
  const value: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, name) : undefined
  if (typeof value === 'boolean') return value
  if (!Array.isArray(value)) throw new Error(`No ${name} in ${JSON.stringify(answer)}`)
  return value.map((each) => (typeof each === 'string' ? each : canonical(each))).toSorted()
}

/** With its fields in one order. */
function canonical(user: unknown): string {
  return JSON.stringify(user, ['object', 'userset', 'wildcard', 'type', 'id', 'relation'])
}

/** A listed user as a check takes it. */
function userOf(listed: string): string {
  const {
    object: plain,
    userset,
    wildcard,
  } = JSON.parse(listed) as {
    readonly object?: { readonly type: string; readonly id: string }
    readonly userset?: { readonly type: string; readonly id: string; readonly relation: string }
    readonly wildcard?: { readonly type: string }
  }
  if (wildcard !== undefined) return `${wildcard.type}:*`
  return plain === undefined
    ? `${userset?.type}:${userset?.id}#${userset?.relation}`
    : `${plain.type}:${plain.id}`
}

/** A running OpenFGA, started again where it hangs. */
class Peer implements AsyncDisposable {
  readonly #counts: EngineCounts
  #server: OpenFga

  private constructor(server: OpenFga, counts: EngineCounts) {
    this.#server = server
    this.#counts = counts
  }

  static async start(counts: EngineCounts): Promise<Peer | { readonly missing: string }> {
    const server = await startOpenFga()
    return 'missing' in server ? server : new Peer(server, counts)
  }

  async answers(given: EngineCase, mine: readonly EngineAnswer[]): Promise<readonly PeerAnswer[]> {
    const created = await this.#post('/stores', { name: 'differential' })
    const storeId: unknown =
      typeof created === 'object' && created !== null ? Reflect.get(created, 'id') : undefined
    if (typeof storeId !== 'string') return given.questions.map(() => tooLate)
    const send: Send = (call, body) =>
      this.#post(`/stores/${storeId}/${call === 'model' ? 'authorization-models' : call}`, body)
    const refused = await prepare(given, send)
    if (refused !== undefined) {
      this.#counts.refusedModels++
      return [{ seen: [refused], isContradicted: false }]
    }
    const answers: PeerAnswer[] = []
    for (const [at, asked] of given.questions.entries()) {
      this.#counts.questions++
      const seen: EngineAnswer[] = [await ask(asked, given, send)]
      while (
        seen.length < 12 &&
        !seen.includes(late) &&
        !seen.some((each) => isDeepStrictEqual(each, mine[at]))
      ) {
        this.#counts.askedAgain++
        seen.push(await ask(asked, given, send))
      }
      const own = mine[at]
      const isContradicted =
        own !== undefined && (await this.#isContradicted(asked, given, { listed: seen[0], own }, send))
      answers.push({ seen, isContradicted })
      if (!seen.includes(late)) continue
      this.#counts.late++
      // It is a new server then, without this store.
      return given.questions.map((_, index) => answers[index] ?? tooLate)
    }
    await fetch(`${this.#server.url}/stores/${storeId}`, { method: 'DELETE' }).catch(() => undefined)
    return answers
  }

  /** Whether OpenFGA's checks say what we list, where it lists something else. */
  async #isContradicted(
    asked: Question,
    given: EngineCase,
    { listed, own }: { readonly listed: EngineAnswer | undefined; readonly own: EngineAnswer },
    send: Send,
  ): Promise<boolean> {
    if (asked.kind === 'check' || !isList(listed) || !isList(own) || isDeepStrictEqual(listed, own))
      return false
    const { relation: name } = asked
    const checkOf = (each: string): Question =>
      asked.kind === 'users'
        ? { kind: 'check', user: userOf(each), relation: name, object: asked.object }
        : { kind: 'check', user: asked.user, relation: name, object: each }
    const isOnlyIn = async (
      some: readonly string[],
      others: readonly string[],
      allowed: boolean,
    ): Promise<boolean> => {
      for (const each of some.filter((one) => !others.includes(one)))
        if ((await ask(checkOf(each), given, send)) !== allowed) return false
      return true
    }
    const isSo = (await isOnlyIn(listed, own, false)) && (await isOnlyIn(own, listed, true))
    if (isSo) this.#counts.contradicted++
    return isSo
  }

  async #post(path: string, body: object): Promise<unknown> {
    let response: Response
    try {
      response = await fetch(`${this.#server.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(1500),
      })
    } catch {
      await this.#restart()
      return late
    }
    const answer: unknown = await response.json()
    if (response.ok) return answer
    const code: unknown =
      typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'code') : undefined
    return response.status >= 500 || response.status === 422 || response.status === 408 ? late : String(code)
  }

  async #restart(): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
    const server = await startOpenFga()
    if ('missing' in server) throw new Error(server.missing)
    this.#server = server
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
  }
}
