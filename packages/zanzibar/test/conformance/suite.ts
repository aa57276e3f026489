import { field } from '@loadbearing/harness/conformance'
import { parse } from 'yaml'
import type { TupleStore } from '../../src/index.ts'
import { vectorText } from '../language/vectors.ts'
import { type Answer, runStages, type StageAnswer, type StagesOptions } from './stages.ts'

/** A suite of OpenFGA's (`openfga/openfga:assets/tests`), as its YAML has it. */
interface Suite {
  readonly tests: readonly {
    readonly name: string
    readonly stages: readonly SuiteStage[]
  }[]
}

interface SuiteStage {
  readonly model: string
  readonly tuples?: readonly object[]
  readonly checkAssertions?: readonly (Assertion<boolean> & { readonly tuple: SuiteTuple })[]
  readonly listObjectsAssertions?: readonly (Assertion<readonly string[]> & {
    readonly request: { readonly user: string; readonly type: string; readonly relation: string }
  })[]
  readonly listUsersAssertions?: readonly (Assertion<readonly string[]> & {
    readonly request: {
      readonly filters: readonly string[]
      readonly object: string
      readonly relation: string
    }
  })[]
}

interface Assertion<Expected> {
  readonly contextualTuples?: readonly object[]
  readonly context?: object
  readonly expectation?: Expected | null
  readonly errorCode?: number
}

interface SuiteTuple {
  readonly user: string
  readonly relation: string
  readonly object: string
}

export interface SuiteResult {
  /** How many answers were as expected. */
  readonly asked: {
    checks: number
    listObjects: number
    streamed: number
    listUsers: number
    listedAgain: number
  }
  /** What was not as expected. */
  readonly wrong: string[]
}

/**
 * Runs all tests of a suite; those of one stage and at most 100 tuples once more with all tuples contextual. Objects are
 * listed at once and by the stream, and what lists give is checked.
 */
export async function runSuite(file: string, store: TupleStore, closureIndex = false): Promise<SuiteResult> {
  const suite = parse(vectorText(file)) as Suite
  const result: SuiteResult = {
    asked: { checks: 0, listObjects: 0, streamed: 0, listUsers: 0, listedAgain: 0 },
    wrong: [],
  }
  const left = [...suite.tests]
  const lane = async (): Promise<void> => {
    for (let test = left.shift(); test !== undefined; test = left.shift()) {
      const { name, stages } = test
      await runTest(name, stages, { store, contextual: false, closureIndex }, result)
      const [only] = stages
      const isSmall = stages.length === 1 && (only?.tuples ?? []).length <= 100
      if (isSmall)
        await runTest(`${name}_ctxTuples`, stages, { store, contextual: true, closureIndex }, result)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return result
}

/** How many tests are run at once, each in a space of its own. */
const lanes = 6

async function runTest(
  name: string,
  stages: readonly SuiteStage[],
  options: Omit<StagesOptions, 'streamed'>,
  result: SuiteResult,
): Promise<void> {
  const first = await answersTo(stages.map(questionsOf), { ...options, streamed: false })
  const again: object[] = []
  for (const [index, stage] of stages.entries()) {
    const answer = first[index]
    if (answer === undefined || 'error' in answer) {
      result.wrong.push(`${name}: the model of stage ${index} is refused: ${JSON.stringify(answer)}`)
      continue
    }
    for (const [at, write] of answer.writes.entries()) {
      if ('error' in write)
        result.wrong.push(`${name}: tuple ${at} of stage ${index}: ${write.error.message}`)
    }
    const compare = (
      assertions: readonly Assertion<unknown>[],
      answers: readonly Answer<unknown>[],
    ): number =>
      assertions.filter((assertion, at) =>
        isExpected(`${name} ${index}`, assertion, answers[at], result.wrong),
      ).length
    result.asked.checks += compare(stage.checkAssertions ?? [], answer.checks)
    result.asked.listObjects += compare(stage.listObjectsAssertions ?? [], answer.listObjects)
    result.asked.listUsers += compare(stage.listUsersAssertions ?? [], answer.listUsers)
    again.push({ ...questionsOf(stage), checks: listedOf(stage, answer), listUsers: [] })
  }
  for (const [index, answer] of (await answersTo(again, { ...options, streamed: true })).entries()) {
    if ('error' in answer) continue
    const listed = stages[index]?.listObjectsAssertions ?? []
    result.asked.streamed += listed.filter((assertion, at) =>
      isExpected(`${name} ${index}, streamed`, assertion, answer.listObjects[at], result.wrong),
    ).length
    for (const [at, check] of answer.checks.entries()) {
      if ('ok' in check && check.ok) result.asked.listedAgain++
      else result.wrong.push(`${name} ${index}: ${at} is listed, but its check is ${JSON.stringify(check)}`)
    }
  }
}

function answersTo(stages: readonly object[], options: StagesOptions): Promise<StageAnswer[]> {
  return runStages(
    field({ stages }, 'stages').list((stage) => stage),
    options,
  )
}

function questionsOf(stage: SuiteStage): object {
  return {
    model: stage.model,
    tuples: stage.tuples ?? [],
    checks: stage.checkAssertions ?? [],
    listObjects: (stage.listObjectsAssertions ?? []).map(({ request, ...given }) => ({
      ...request,
      ...given,
    })),
    listUsers: (stage.listUsersAssertions ?? []).map(({ request, ...given }) => ({ ...request, ...given })),
  }
}

/** A check of every object and user that was listed. */
function listedOf(stage: SuiteStage, answer: Extract<StageAnswer, { readonly checks: unknown }>): object[] {
  const checks: object[] = []
  for (const [at, { request, ...given }] of (stage.listObjectsAssertions ?? []).entries()) {
    const listed = answer.listObjects[at]
    const { user, relation } = request
    if (listed !== undefined && 'ok' in listed)
      for (const object of listed.ok) checks.push({ ...given, tuple: { user, relation, object } })
  }
  for (const [at, { request, ...given }] of (stage.listUsersAssertions ?? []).entries()) {
    const listed = answer.listUsers[at]
    const { object, relation } = request
    if (listed !== undefined && 'ok' in listed)
      for (const user of listed.ok) checks.push({ ...given, tuple: { user, relation, object } })
  }
  return checks
}

function isExpected(
  name: string,
  assertion: Assertion<unknown>,
  answer: Answer<unknown> | undefined,
  wrong: string[],
): boolean {
  const got = answer === undefined ? undefined : 'error' in answer ? answer.error.number : sorted(answer.ok)
  const { errorCode, expectation } = assertion
  // Without an expectation, a check is false and a list is empty.
  const none = Array.isArray(got) ? [] : false
  const expected = errorCode ?? sorted(expectation ?? none)
  if (JSON.stringify(got) === JSON.stringify(expected)) return true
  wrong.push(`${name}: ${JSON.stringify({ assertion, expected, got })}`)
  return false
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.map(String).toSorted() : value
}
