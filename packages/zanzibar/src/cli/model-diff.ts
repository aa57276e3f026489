import { ZanzibarError } from '../errors.ts'
import { diffModels, type ModelChange } from '../model-diff/diff-models.ts'
import { type AnswerChange, type ModelPlan, planModel, type TupleChange } from '../model-diff/plan-model.ts'
import type { StoreFile } from '../store-file/store-file.ts'
import type { Tuple } from '../tuple/tuple.ts'
import { openSpace, type Place } from './open-space.ts'
import type { Answer } from './questions.ts'
import { isStoreFile, loadStore, modelAt } from './read-store-file.ts'

/**
 * What a model changes: of another one, and of the tuples and answers of a store. Ends with 1 where tuples stop counting or
 * answers become others.
 */
export async function modelDiff(place: Place, paths: readonly string[]): Promise<Answer> {
  const [first, second, ...more] = paths
  const isOfStore = place.store !== undefined || place.file !== undefined
  if (first === undefined || more.length > 0 || (second === undefined && !isOfStore)) {
    throw new ZanzibarError(
      'invalid_option',
      'say BEFORE AFTER, or AFTER and where the store is: --store URL, or --file FILE.fga.yaml',
    )
  }
  const after = await modelAt(second ?? first)
  const before = second === undefined ? undefined : await modelAt(first)
  if (!isOfStore && before !== undefined)
    return { lines: orNone(diffModels(before.model, after.model).map(changeLine)) }
  await using space = await openSpace(place)
  const { store, storeId } = space
  const questions = place.file === undefined ? undefined : await questionsOf(place.file)
  const plan = await planModel({
    store,
    storeId,
    model: after.model,
    ...(before && { before: before.model }),
    ...(questions && { questions }),
  })
  return { lines: planLines(plan), failed: plan.stopping.length > 0 || plan.flipping.length > 0 }
}

/** What the tests of a store file check, each with the tuples of its test. */
async function questionsOf(path: string): Promise<readonly AnswerChange['question'][]> {
  if (!isStoreFile(path)) return []
  const { file, testTuples } = await loadStore(path)
  return file.tests.flatMap((test, index) => test.checks.map((each) => question(each, testTuples[index])))
}

function question(
  { user, relation, object, context }: StoreFile['tests'][number]['checks'][number],
  contextualTuples: readonly Tuple[] | undefined,
): AnswerChange['question'] {
  return { tuple: { user, relation, object }, context, contextualTuples }
}

function planLines({ changes, stopping, returning, flipping }: ModelPlan): readonly string[] {
  return [
    ...orNone(changes.map(changeLine)),
    `tuples that stop counting: ${stopping.length}`,
    ...stopping.map((each) => `- ${tupleLine(each)}`),
    `tuples that count again: ${returning.length}`,
    ...returning.map((each) => `+ ${tupleLine(each)}`),
    `answers that become others: ${flipping.length}`,
    ...flipping.map(
      ({ question: { tuple }, before, after }) => `~ ${keyText(tuple)}: ${before}, now ${after}`,
    ),
  ]
}

function orNone(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? ['the models do not differ'] : lines
}

function tupleLine({ tuple, reason }: TupleChange): string {
  const { condition } = tuple
  return `${keyText(tuple)}${condition === undefined ? '' : ` with ${condition.name}`} (${reason})`
}

function keyText({ user, relation, object }: Pick<Tuple, 'user' | 'relation' | 'object'>): string {
  return `${user} ${relation} ${object}`
}

const signs = { added: '+', removed: '-', changed: '~' } as const

function changeLine(change: ModelChange): string {
  const sign = signs[change.change]
  switch (change.kind) {
    case 'schema':
      return `${sign} schema ${change.before}, now ${change.after}`
    case 'type':
      return `${sign} type ${change.type}`
    case 'relation':
      return `${sign} relation ${change.type}#${change.relation}: ${change.definition}`
    case 'rewrite':
      return `${sign} relation ${change.type}#${change.relation}: ${change.before}, now ${change.after}`
    case 'restriction':
      return `${sign} restriction ${change.type}#${change.relation}: ${change.restriction}`
    case 'condition':
  }
  const how = change.change === 'changed' ? `${change.before}, now ${change.after}` : ''
  return `${sign} condition ${change.condition}${how}`
}
