import { setTimeout } from 'node:timers/promises'
import { type ComparisonReport, compareWithOracle } from '@loadbearing/harness/oracle'
import fc from 'fast-check'
import { compileCondition } from '../../src/condition/condition.ts'
import { isZanzibarError } from '../../src/errors.ts'
import { userFormsOf } from '../../src/graph/user-forms.ts'
import { isWeighted } from '../../src/graph/weighted.ts'
import type { AuthorizationModel } from '../../src/model/authorization-model.ts'
import { type Rewrite, typeSystem } from '../../src/model/type-system.ts'
import type { TupleStore } from '../../src/store/tuple-store.ts'
import { typeOf } from '../../src/tuple/object.ts'
import type { Tuple } from '../../src/tuple/tuple.ts'
import { openFgaApi } from '../../src/wire/openfga-api.ts'
import { type OpenFga, startLoggedOpenFga } from '../openfga.ts'
import { objectTypes, type RandomCase, randomCase, relationNames } from '../random/random-model.ts'
import { openTestStore } from '../stores/open-test-store.ts'
import type { ComparisonOptions } from './comparisons.ts'
import { definedAnswer } from './defined-answer.ts'
import { hasOperands, relationsBelow, untold } from './engine-rules.ts'
import { knownBy, type Rule } from './known-rules.ts'

/** A random model with its tuples, and checks of it, mostly of usersets. */
export interface SemanticsCase extends RandomCase {
  readonly questions: readonly {
    readonly user: string
    readonly relation: string
    readonly object: string
  }[]
}

/** A boolean, `refused` where v2 has no answer, or the code of an error; of a model that v2 does not take, `refused` alone. */
type Answer = boolean | string

const relation = fc.constantFrom(...relationNames)
const object = fc
  .tuple(fc.constantFrom(...objectTypes), fc.constantFrom('1', '2', '3'))
  .map(([type, id]) => `${type}:${id}`)
const user = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(object, relation).map(([of, name]) => `${of}#${name}`) },
  { weight: 2, arbitrary: fc.constantFrom('user:1', 'user:2', 'user:3', 'robot:1') },
  { weight: 1, arbitrary: fc.constantFrom('user:*', 'robot:*') },
)

export function semanticsCase(conditions: boolean): fc.Arbitrary<SemanticsCase> {
  const questions = fc.array(fc.record({ user, relation, object }), {
    minLength: 1,
    maxLength: 20,
    size: 'max',
  })
  const any = randomCase(conditions, 'layered')
  const taken = any.filter(({ model }) => isWeighted(typeSystem(model, compileCondition)))
  return fc
    .tuple(fc.oneof({ weight: 9, arbitrary: taken }, { weight: 1, arbitrary: any }), questions)
    .map(([given, asked]) => ({ ...given, questions: asked }))
}

export interface SemanticsCounts {
  questions: number
  /** Answered with a refusal, or of a model that is refused. */
  refused: number
  askedAgain: number
}

/** Holds `semantics: 'openfga-v2'` to OpenFGA's experimental `weighted_graph_check`. */
export async function compareSemantics(
  conditions: boolean,
  { seed, runs, store: kind }: ComparisonOptions,
  counts: SemanticsCounts,
): Promise<
  ComparisonReport<SemanticsCase, readonly Answer[], readonly (readonly Answer[])[]> | { missing: string }
> {
  const peer = await WeightedPeer.start(counts)
  if ('missing' in peer) return peer
  await using running = peer
  await using opened = await openTestStore(kind)
  const own = (given: SemanticsCase): Promise<readonly Answer[]> => ours(opened.store, given)
  return await compareWithOracle({
    arbitrary: semanticsCase(conditions),
    seed,
    runs,
    maxDifferences: 5,
    ours: own,
    theirs: async (given) => running.answers(given, await own(given)),
    known: knownBy(rules, isSame),
    equal: (mine, theirs) =>
      mine.length === theirs.length && mine.every((answer, at) => isSame(answer, theirs[at] ?? [])),
  })
}

function isSame(mine: Answer, theirs: readonly Answer[]): boolean {
  return theirs.includes(mine)
}

const rules: readonly Rule<SemanticsCase, Answer, readonly Answer[]>[] = [
  {
    reason:
      'a contextual tuple that does not hold, of the key of a stored one that does: on the object that is asked OpenFGA takes the contextual one alone, from the side of the user both, as the strategy that it draws has it; ours is the contextual one everywhere',
    explains: (given, at, mine, theirs) => {
      const asked = given.questions[at]
      if (asked === undefined || asked.user.includes('#') || typeof mine !== 'boolean') return false
      const isHiding = ({ object: on, relation: name, user: who }: Tuple): boolean =>
        (who === asked.user || who === `${typeOf(asked.user)}:*`) &&
        given.tuples.some((each) => each.object === on && each.relation === name && each.user === who)
      const contextualTuples = given.contextualTuples.filter((each) => !isHiding(each))
      const seen = definedAnswer({ ...given, contextualTuples }, asked, 'openfga-v2')
      return mine === definedAnswer(given, asked, 'openfga-v2') && theirs.every((each) => each === seen)
    },
  },
  {
    reason:
      'a userset that leads back to itself: where it is assigned from outside, OpenFGA looks for its own tuple only, and we follow it',
    explains: ({ model, questions }, at, mine, theirs) =>
      mine === true &&
      theirs.every((each) => each === false) &&
      isRecursive(model, questions[at]?.user ?? ''),
  },
  {
    reason:
      'an operand of an intersection or an exclusion fails, or refuses, and another one is false: OpenFGA takes what comes first, and we take false',
    explains: (given, at, mine, theirs) => {
      const asked = given.questions[at]
      if (asked === undefined || mine !== false || !theirs.every((each) => typeof each === 'string'))
        return false
      const isUntold = theirs.every((each) => each !== 'validation_error') || untold(given, asked).length > 0
      return isUntold && relationsBelow(given, asked).some(hasOperands)
    },
  },
  {
    reason:
      'usersets and everyone of a type at an exclusion: whether OpenFGA refuses depends on what it was asked before, and on the strategy that it draws',
    explains: ({ questions }, at, mine, theirs) =>
      /#|:\*$/.test(questions[at]?.user ?? '') && (mine === 'refused' || theirs.includes('refused')),
  },
  {
    reason:
      'a condition that cannot be told, of a tuple that leads back: whether OpenFGA evaluates it depends on the strategy that it draws',
    explains: (given, at, mine, theirs) => {
      const asked = given.questions[at]
      return (
        asked !== undefined &&
        mine === 'validation_error' &&
        theirs.every((each) => each === false) &&
        untold(given, asked).length > 0 &&
        relationsBelow(given, asked).some(({ recursion }) => recursion.isRecursive)
      )
    },
  },
  {
    reason:
      'a condition that cannot be told, away from the way to the user: whether OpenFGA evaluates it depends on the strategy that it draws; ours is what a check is defined to be',
    explains: (given, at, mine, theirs) => {
      const asked = given.questions[at]
      if (asked === undefined || asked.user.includes('#') || untold(given, asked).length === 0) return false
      return (
        mine === definedAnswer(given, asked, 'openfga-v2') &&
        (mine === 'validation_error' || theirs.includes('validation_error'))
      )
    },
  },
  {
    // `openfga/language:pkg/go/graph/weighted_graph.go` GetEdgeWeight, calculateUsersetWeights: the edge of a parent's
    // relation counts as one to that userset, and so may what was weighed after an edge that assigns it.
    reason:
      'a condition that cannot be told, on a way that the userset itself is computed into: OpenFGA evaluates it where its graph takes that for a way to the userset, which by its own answers is none',
    explains: (given, at, mine, theirs) => {
      const asked = given.questions[at]
      return (
        asked?.user.includes('#') === true &&
        mine === false &&
        theirs.every((each) => each === 'validation_error') &&
        untold(given, asked).some((tuple) => isOnlyComputedInto(given, asked, tuple))
      )
    },
  },
]

/** Whether a tuple leads to relations that the userset of a question is computed into, and to none that it may be assigned. */
function isOnlyComputedInto(
  given: SemanticsCase,
  asked: SemanticsCase['questions'][number],
  { object: on, relation: name, user: to }: Tuple,
): boolean {
  const types = typeSystem(given.model, compileCondition)
  const [userset = '', of = ''] = asked.user.split('#')
  const own = `${typeOf(userset)}#${of}`
  const [parent = '', computed] = to.split('#')
  const nexts =
    computed === undefined
      ? relationsBelow(given, asked)
          .flatMap(({ rewrite }) => parentWays(rewrite))
          .filter(({ tupleset }) => tupleset.type === typeOf(on) && tupleset.name === name)
          .map((way) => way.computed.get(typeOf(parent)))
      : [types.relation(typeOf(parent), computed)]
  return nexts.some(
    (next) =>
      next !== undefined &&
      !userFormsOf(types).ofRelation(next).has(own) &&
      relationsBelow(given, { type: next.type, relation: next.name }).some(
        (below) => `${below.type}#${below.name}` === own,
      ),
  )
}

function parentWays(rewrite: Rewrite): readonly Extract<Rewrite, { readonly kind: 'from' }>[] {
  if (rewrite.kind === 'from') return [rewrite]
  if (rewrite.kind === 'exclusion') return [rewrite.base, rewrite.subtract].flatMap(parentWays)
  return 'children' in rewrite ? rewrite.children.flatMap(parentWays) : []
}

function isRecursive(model: AuthorizationModel, userset: string): boolean {
  const [whole = '', name = ''] = userset.split('#')
  const [type = ''] = whole.split(':')
  return typeSystem(model, compileCondition).relation(type, name)?.recursion.isRecursive === true
}

// Of OpenFGA's `internal/check/check.go`; it answers with v1 where it comes to these, and logs it.
const refusals = /^(?:userset|wildcard) request cannot be resolved when/

async function ours(store: TupleStore, given: SemanticsCase): Promise<readonly Answer[]> {
  const { id } = await store.createStore('differential')
  const answers = await answersOf(store, id, given)
  await store.deleteStore(id)
  return answers
}

async function answersOf(
  store: TupleStore,
  id: string,
  { model, tuples, questions, contextualTuples, context }: SemanticsCase,
): Promise<readonly Answer[]> {
  const api = openFgaApi({ store, semantics: 'openfga-v2' })
  try {
    await api.writeAuthorizationModel(id, model)
  } catch (error) {
    if (!isZanzibarError(error)) throw error
    return [error.message.startsWith('openfga-v2 ') ? 'refused' : error.code]
  }
  if (tuples.length > 0) await api.write(id, { writes: { tuple_keys: tuples } })
  const answers: Answer[] = []
  for (const key of questions) {
    try {
      const body = { tuple_key: key, contextual_tuples: { tuple_keys: contextualTuples }, context }
      answers.push((await api.check(id, body)).allowed)
    } catch (error) {
      if (!isZanzibarError(error)) throw error
      answers.push(refusals.test(error.message) ? 'refused' : error.code)
    }
  }
  return answers
}

interface Posted {
  readonly id: string
  readonly code: string | undefined
  readonly answer: unknown
}

/** Milliseconds between checks: of a message OpenFGA logs no more than a hundred a second. */
const pace = 11

/** A running OpenFGA whose checks are v2's. Where these fail it answers with v1's, and says so in its log only. */
class WeightedPeer implements AsyncDisposable {
  readonly #server: OpenFga
  readonly #counts: SemanticsCounts
  /** Requests that v2 has no answer for. */
  readonly #fellBack: Set<string>
  #lastCheck = 0
  #sentinel: { readonly store: string } | undefined

  private constructor(server: OpenFga, counts: SemanticsCounts, fellBack: Set<string>) {
    this.#server = server
    this.#counts = counts
    this.#fellBack = fellBack
  }

  static async start(counts: SemanticsCounts): Promise<WeightedPeer | { readonly missing: string }> {
    const fellBack = new Set<string>()
    const onLine = (line: string): void => {
      const id = /"Weighted graph check failed, falling back".*"request_id":"([^"]+)"/.exec(line)?.[1]
      if (id !== undefined) fellBack.add(id)
    }
    const server = await startLoggedOpenFga(onLine, '--experimentals', 'weighted_graph_check')
    return 'missing' in server ? server : new WeightedPeer(server, counts, fellBack)
  }

  async answers(given: SemanticsCase, mine: readonly Answer[]): Promise<readonly (readonly Answer[])[]> {
    const storeId = await this.#newStore()
    const written = await this.#post(`/stores/${storeId}/authorization-models`, given.model)
    if (written.code !== undefined) return [[written.code]]
    if (given.tuples.length > 0) {
      const { code } = await this.#post(`/stores/${storeId}/write`, { writes: { tuple_keys: given.tuples } })
      if (code !== undefined) throw new Error(`The tuples are refused: ${code}`)
    }
    const isRefused = mine[0] === 'refused' && mine.length === 1
    const expected = isRefused ? given.questions.map(() => 'refused') : mine
    let seen = await this.#round(
      storeId,
      given,
      given.questions.map((_, at) => at),
    )
    const all = [...seen.values()].map((answer) => [answer])
    for (let again = 0; again < 12; again++) {
      const open = all.flatMap((answers, at) => (answers.includes(expected[at] ?? '') ? [] : [at]))
      if (open.length === 0) break
      this.#counts.askedAgain += open.length
      seen = await this.#round(storeId, given, open)
      for (const [at, answer] of seen) all[at]?.push(answer)
    }
    this.#counts.questions += all.length
    this.#counts.refused += expected.filter((answer) => answer === 'refused').length
    await fetch(`${this.#server.url}/stores/${storeId}`, { method: 'DELETE' })
    // A model that is refused has no answer to any question.
    return isRefused && all.every((answers) => answers.includes('refused')) ? [['refused']] : all
  }

  async #round(
    storeId: string,
    { questions, contextualTuples, context }: SemanticsCase,
    which: readonly number[],
  ): Promise<ReadonlyMap<number, Answer>> {
    const asked = new Map<number, { readonly id: string; readonly answer: Answer }>()
    for (const at of which) {
      const body = {
        tuple_key: questions[at],
        contextual_tuples: { tuple_keys: contextualTuples },
        context,
      }
      const { id, code, answer } = await this.#check(storeId, body)
      asked.set(at, { id, answer: code ?? answerOf(answer) })
    }
    await this.#readLog()
    return new Map(
      Array.from(asked, ([at, { id, answer }]) => [at, this.#fellBack.delete(id) ? 'refused' : answer]),
    )
  }

  /** Waits until all that was logged so far is read: for the line of a request that is sure to write one. */
  async #readLog(): Promise<void> {
    this.#sentinel ??= await this.#newSentinel()
    const key = { user: 'user:*', relation: 'b', object: 'doc:1' }
    const { id } = await this.#check(this.#sentinel.store, { tuple_key: key })
    while (!this.#fellBack.delete(id)) await new Promise((resolve) => setImmediate(resolve))
  }

  async #check(storeId: string, body: object): Promise<Posted> {
    const wait = this.#lastCheck + pace - performance.now()
    if (wait > 0) await setTimeout(wait)
    this.#lastCheck = performance.now()
    return await this.#post(`/stores/${storeId}/check`, body)
  }

  async #newSentinel(): Promise<{ readonly store: string }> {
    const store = await this.#newStore()
    const everyone = { directly_related_user_types: [{ type: 'user', wildcard: {} }] }
    const b = { difference: { base: { this: {} }, subtract: { computedUserset: { relation: 'a' } } } }
    await this.#post(`/stores/${store}/authorization-models`, {
      schema_version: '1.1',
      type_definitions: [
        { type: 'user' },
        {
          type: 'doc',
          relations: { a: { this: {} }, b },
          metadata: { relations: { a: everyone, b: everyone } },
        },
      ],
    })
    return { store }
  }

  async #newStore(): Promise<string> {
    const { answer } = await this.#post('/stores', { name: 'differential' })
    return String(Reflect.get(Object(answer), 'id'))
  }

  async #post(path: string, body: object): Promise<Posted> {
    const response = await fetch(`${this.#server.url}${path}`, { method: 'POST', body: JSON.stringify(body) })
    const answer: unknown = await response.json()
    const code = response.ok ? undefined : String(Reflect.get(Object(answer), 'code'))
    return { id: response.headers.get('x-request-id') ?? '', code, answer }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
  }
}

function answerOf(answer: unknown): Answer {
  const allowed: unknown = Reflect.get(Object(answer), 'allowed')
  if (typeof allowed !== 'boolean') throw new Error(`No answer in ${JSON.stringify(answer)}`)
  return allowed
}
