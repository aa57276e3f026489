import { compileCondition } from '../condition/condition.ts'
import { parseModel } from '../dsl/parse-model.ts'
import { ZanzibarError } from '../errors.ts'
import { checkMethods, checkModel, checkRecord } from '../given-kinds.ts'
import { check } from '../graph/check.ts'
import type { AuthorizationModel } from '../model/authorization-model.ts'
import { type TypeSystem, typeSystem } from '../model/type-system.ts'
import { validateModel } from '../model/validate-model.ts'
import type { Snapshot } from '../store/snapshot.ts'
import type { Assertion, TupleStore } from '../store/tuple-store.ts'
import type { Tuple } from '../tuple/tuple.ts'
import { objectReason, readProblem, relationReason, userReason } from '../tuple/validity.ts'
import { zanzibarLimits } from '../zanzibar.ts'
import { diffModels, type ModelChange } from './diff-models.ts'

/** What is to be planned. */
export interface ModelPlanOptions {
  readonly store: TupleStore
  readonly storeId: string
  /** The model that is to take the place of the other one. In the DSL, or as JSON of OpenFGA's API. */
  readonly model: string | AuthorizationModel
  /** What it is held against. Default: the store's latest model. */
  readonly before?: string | AuthorizationModel
  /** What to ask of both models. Default: the assertions of the store's latest model. */
  readonly questions?: readonly Omit<Assertion, 'expectation'>[]
  readonly signal?: AbortSignal
}

/** What comes of a model that takes another one's place. */
export interface ModelPlan {
  readonly changes: readonly ModelChange[]
  /** Stored tuples that count and would no longer: they stay where they are, and nobody sees them. */
  readonly stopping: readonly TupleChange[]
  /** Stored tuples that do not count and would: of an earlier model, mostly. */
  readonly returning: readonly TupleChange[]
  /** Questions whose answer would be another one. */
  readonly flipping: readonly AnswerChange[]
}

export interface TupleChange {
  readonly tuple: Tuple
  /** Why it does not count, under the model that does not take it. */
  readonly reason: string
}

export interface AnswerChange {
  readonly question: Omit<Assertion, 'expectation'>
  readonly before: PlannedAnswer
  readonly after: PlannedAnswer
}

/** `conditional`: parameters are missing. `refused`: the model does not know what is asked about, or a condition fails. */
export type PlannedAnswer = 'allowed' | 'denied' | 'conditional' | 'refused'

/**
 * What would come of a model: how it differs from the one before, which stored tuples would stop or begin to count, and
 * which answers would be others. Nothing is changed. Reads all tuples of the store.
 *
 * @throws ZanzibarError `invalid_syntax` and `invalid_authorization_model` for a model, `store_id_not_found`,
 *   `latest_authorization_model_not_found` where there is none before, `cancelled`
 */
export async function planModel(options: ModelPlanOptions): Promise<ModelPlan> {
  checkRecord('options', options)
  checkMethods('store', options.store, ['readModel', 'snapshot'])
  const { store, storeId, signal } = options
  const latest = await store.readModel(storeId)
  const before = options.before ?? latest?.model
  if (before === undefined) {
    const message = `No authorization models found for store '${storeId}'; say \`before\``
    throw new ZanzibarError('latest_authorization_model_not_found', message)
  }
  const models = { before: resolved(before), after: resolved(options.model) }
  const questions =
    options.questions ?? (latest === undefined ? [] : await store.readAssertions(storeId, latest.id))
  const tuples = await planTuples(options, models)
  return {
    changes: diffModels(models.before.model, models.after.model),
    ...tuples,
    flipping: await flipping({ store, storeId, signal }, models, questions),
  }
}

interface Models {
  readonly before: TypeSystem
  readonly after: TypeSystem
}

function resolved(given: string | AuthorizationModel): TypeSystem {
  if (typeof given !== 'string') checkModel('model', given)
  const model = typeof given === 'string' ? parseModel(given) : given
  validateModel(model, zanzibarLimits, compileCondition)
  return typeSystem(model, compileCondition)
}

const tuplesPerRead = 1000

async function planTuples(
  { store, storeId, signal }: Pick<ModelPlanOptions, 'store' | 'storeId' | 'signal'>,
  { before, after }: Models,
): Promise<Pick<ModelPlan, 'stopping' | 'returning'>> {
  const stopping: TupleChange[] = []
  const returning: TupleChange[] = []
  let from: string | undefined
  do {
    if (signal?.aborted === true) throw new ZanzibarError('cancelled', 'the plan was aborted')
    const page = await store.read(storeId, {}, { limit: tuplesPerRead, after: from })
    for (const { tuple } of page.items) {
      const [was, is] = [readProblem(before, tuple), readProblem(after, tuple)]
      if (was === undefined && is !== undefined) stopping.push({ tuple, reason: is.reason })
      if (was !== undefined && is === undefined) returning.push({ tuple, reason: was.reason })
    }
    from = page.next
  } while (from !== undefined)
  return { stopping, returning }
}

type Question = Omit<Assertion, 'expectation'>

async function flipping(
  {
    store,
    storeId,
    signal,
  }: { readonly store: TupleStore; readonly storeId: string; readonly signal: AbortSignal | undefined },
  { before, after }: Models,
  questions: readonly Question[],
): Promise<readonly AnswerChange[]> {
  if (questions.length === 0) return []
  const snapshot = await store.snapshot(storeId, { signal })
  try {
    const changes: AnswerChange[] = []
    for (const question of questions) {
      const was = await answer(before, snapshot, question, signal)
      const is = await answer(after, snapshot, question, signal)
      if (was !== is) changes.push({ question, before: was, after: is })
    }
    return changes
  } finally {
    snapshot.release()
  }
}

async function answer(
  types: TypeSystem,
  snapshot: Snapshot,
  { tuple, context, contextualTuples }: Question,
  signal: AbortSignal | undefined,
): Promise<PlannedAnswer> {
  const problem =
    userReason(types, tuple.user) ?? objectReason(types, tuple.object) ?? relationReason(types, tuple)
  if (problem !== undefined) return 'refused'
  const { resolveNodeLimit: depthLimit, maxConditionCost } = zanzibarLimits
  const scope = { types, snapshot, context, contextualTuples, depthLimit, maxConditionCost }
  const { allowed, error, missing } = await check(scope, tuple, signal)
  if (error === undefined) return allowed ? 'allowed' : 'denied'
  return missing.length > 0 ? 'conditional' : 'refused'
}
