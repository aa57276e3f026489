import { type Field, field } from '@loadbearing/harness/conformance'
import { isZanzibarError, parseModel, type TupleStore } from '../../src/index.ts'
import { type OpenFgaApi, openFgaApi } from '../../src/wire/openfga-api.ts'

export interface Failure {
  readonly number: number
  readonly code: string
  readonly message: string
}

export type Answer<Ok> = { readonly ok: Ok } | { readonly error: Failure }

/** What a stage answers: one for each of its tuples and questions; or why its model was refused. */
export type StageAnswer =
  | {
      readonly writes: readonly Answer<true>[]
      readonly checks: readonly Answer<boolean>[]
      readonly listObjects: readonly Answer<readonly string[]>[]
      readonly listUsers: readonly Answer<readonly string[]>[]
    }
  | { readonly error: Failure }

export interface StagesOptions {
  /** Where they run, in a space of their own. */
  readonly store: TupleStore
  /** Whether tuples are given with each question in place of being written. */
  readonly contextual: boolean
  /** Whether objects are listed by the stream. */
  readonly streamed: boolean
  /** Whether checks have a closure index. */
  readonly closureIndex?: boolean
}

/** Runs the stages of one test in one new space: models replace each other, tuples accumulate. Questions go through OpenFGA's calls. */
export async function runStages(stages: readonly Field[], options: StagesOptions): Promise<StageAnswer[]> {
  const { store, closureIndex = false } = options
  // No list is cut by time.
  const api = openFgaApi({ store, closureIndex, limits: { listObjectsDeadline: 0, listUsersDeadline: 0 } })
  const { id: storeId } = await store.createStore('stages')
  const answers: StageAnswer[] = []
  for (const stage of stages) {
    const model = await attempt(() => writeModel(api, storeId, stage.field('model')))
    answers.push('error' in model ? model : await new Stage(api, storeId, stage, options).run())
  }
  return answers
}

async function writeModel(api: OpenFgaApi, storeId: string, model: Field): Promise<void> {
  const value = typeof model.value === 'string' ? parseModel(model.value) : model.value
  await api.writeAuthorizationModel(storeId, value)
}

class Stage {
  readonly #api: OpenFgaApi
  readonly #storeId: string
  readonly #stage: Field
  readonly #tuples: readonly unknown[]
  readonly #isContextual: boolean
  readonly #isStreamed: boolean

  constructor(api: OpenFgaApi, storeId: string, stage: Field, { contextual, streamed }: StagesOptions) {
    this.#api = api
    this.#storeId = storeId
    this.#stage = stage
    this.#tuples = values(stage.field('tuples'))
    this.#isContextual = contextual
    this.#isStreamed = streamed
  }

  async run(): Promise<StageAnswer> {
    const writes = await this.#each(this.#tuples, async (tuple): Promise<true> => {
      if (this.#isContextual) return true
      await this.#api.write(this.#storeId, { writes: { tuple_keys: [tuple] } })
      return true
    })
    const questions = (name: string): readonly Field[] => values(this.#stage.field(name)).map(questionOf)
    const checks = await this.#each(questions('checks'), (question) => this.#check(question))
    const listObjects = await this.#each(questions('listObjects'), (question) => this.#listObjects(question))
    const listUsers = await this.#each(questions('listUsers'), (question) => this.#listUsers(question))
    return { writes, checks, listObjects, listUsers }
  }

  async #check(question: Field): Promise<boolean> {
    const { allowed } = await this.#api.check(this.#storeId, {
      tuple_key: question.field('tuple').value,
      contextual_tuples: { tuple_keys: this.#contextual(question) },
      context: question.field('context').value,
    })
    return allowed
  }

  async #listObjects(question: Field): Promise<readonly string[]> {
    const body = {
      user: question.field('user').value,
      type: question.field('type').value,
      relation: question.field('relation').value,
      contextual_tuples: { tuple_keys: this.#contextual(question) },
      context: question.field('context').value,
    }
    if (!this.#isStreamed) return (await this.#api.listObjects(this.#storeId, body)).objects
    const objects: string[] = []
    for await (const { object } of this.#api.streamedListObjects(this.#storeId, body)) objects.push(object)
    return objects
  }

  async #listUsers(question: Field): Promise<readonly string[]> {
    const { users } = await this.#api.listUsers(this.#storeId, {
      object: parts(question.field('object').value, ':', 'id'),
      relation: question.field('relation').value,
      user_filters: filtersOf(question.field('filters').value),
      contextual_tuples: this.#contextual(question),
      context: question.field('context').value,
    })
    return users.map((user) => {
      if ('wildcard' in user) return `${user.wildcard.type}:*`
      if ('object' in user) return `${user.object.type}:${user.object.id}`
      return `${user.userset.type}:${user.userset.id}#${user.userset.relation}`
    })
  }

  /** What is no list goes as it is, to be refused as HTTP refuses it. */
  #contextual(question: Field): unknown {
    const { value } = question.field('contextualTuples')
    const own: unknown = value ?? []
    return this.#isContextual && Array.isArray(own) ? [...this.#tuples, ...own] : own
  }

  async #each<Item, Ok>(
    items: readonly Item[],
    ask: (item: Item) => Promise<Ok>,
  ): Promise<readonly Answer<Ok>[]> {
    const answers: Answer<Ok>[] = []
    for (const item of items) answers.push(await attempt(() => ask(item)))
    return answers
  }
}

async function attempt<Ok>(ask: () => Promise<Ok>): Promise<Answer<Ok>> {
  try {
    return { ok: await ask() }
  } catch (error) {
    if (!isZanzibarError(error)) throw error
    const { number, code, message } = error
    // HTTP takes JSON only: of a text that is none, it would say that the model is refused.
    return code === 'invalid_syntax'
      ? { error: { number: 2056, code: 'invalid_authorization_model', message } }
      : { error: { number, code, message } }
  }
}

/** None where it is absent or null. */
function values(list: Field): readonly unknown[] {
  return list.value === undefined || list.value === null ? [] : list.list(({ value }) => value)
}

/** One that is no object lacks all of its fields: it fails for itself, as no question fails the others. */
function questionOf(given: unknown): Field {
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
  return field({ question: isObject ? given : {} }, 'question')
}

function filtersOf(given: unknown): unknown {
  return Array.isArray(given) ? given.map((filter: unknown) => parts(filter, '#', 'relation')) : given
}

/** A text as OpenFGA's message, cut at the first `separator`; what is no text goes as it is, to be refused. */
function parts(value: unknown, separator: string, rest: 'id' | 'relation'): unknown {
  if (typeof value !== 'string') return value
  const at = value.indexOf(separator)
  return at === -1 ? { type: value } : { type: value.slice(0, at), [rest]: value.slice(at + 1) }
}
