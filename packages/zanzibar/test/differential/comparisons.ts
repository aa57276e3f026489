import type { ComparisonReport } from '@loadbearing/harness/oracle'
import type { CampaignOptions } from '@loadbearing/tooling/campaign'
import type { StoreKind } from '../stores/open-test-store.ts'
import {
  compareBrokenConditions,
  compareConditions,
  comparePatterns,
  findConditionOracle,
} from './conditions.ts'
import { compareEngines, type EngineCounts } from './engine.ts'
import { deepEngineCase, engineCase, nestedEngineCase } from './engine-case.ts'
import { compareHttp } from './http.ts'
import { authZenRequest, openFgaRequest } from './http-requests.ts'
import { compareSemantics, type SemanticsCounts } from './semantics-v2.ts'
import { compareWrites } from './writes.ts'

/** Which cases are made, and what ours keeps its tuples in. */
export interface ComparisonOptions extends CampaignOptions {
  readonly store: StoreKind
}

/** What two programs were asked, and how they compare. */
export interface Comparison {
  /** For `--only`. */
  readonly name: string
  readonly what: string
  /** Whether tuples are stored, so that it matters what in. */
  readonly isStored: boolean
  run(campaign: ComparisonOptions): Promise<Compared | { readonly missing: string }>
}

export interface Compared {
  readonly report: ComparisonReport<unknown, unknown, unknown>
  /** How much was asked of the cases. */
  readonly asked: string
  /** What else was seen. */
  readonly seen?: string
}

export const comparisons: readonly Comparison[] = [
  stored('engine', 'models, tuples and questions', engines(engineCase(false))),
  stored('engine-conditions', 'the same with conditions', engines(engineCase(true))),
  stored(
    'nested',
    'operators deep in each other, parents of several types',
    engines(nestedEngineCase(false)),
  ),
  stored('nested-conditions', 'the same with conditions', engines(nestedEngineCase(true))),
  stored('depth', 'checks about as deep as the limit of depth', engines(deepEngineCase())),
  stored('v2', "openfga-v2: checks, by OpenFGA's weighted_graph_check", semantics(false)),
  stored('v2-conditions', 'the same with conditions', semantics(true)),
  stored('writes', 'broken models and writes: codes and messages', async (campaign) => {
    const report = await compareWrites(campaign)
    return 'missing' in report ? report : { report, asked: 'up to 30 writes a model' }
  }),
  stored('http', 'requests over HTTP: status and body', requests(openFgaRequest)),
  stored('authzen', "AuthZEN's: status and body", requests(authZenRequest)),
  unstored('conditions', 'conditions: results, costs, messages', conditions(compareConditions)),
  unstored('broken-conditions', 'conditions that are broken', conditions(compareBrokenConditions)),
  unstored('patterns', "regular expressions, against Go's", conditions(comparePatterns)),
]

function stored(name: string, what: string, run: Comparison['run']): Comparison {
  return { name, what, run, isStored: true }
}

function unstored(name: string, what: string, run: Comparison['run']): Comparison {
  return { name, what, run, isStored: false }
}

function engines(cases: Parameters<typeof compareEngines>[0]): Comparison['run'] {
  return async (campaign) => {
    const counts: EngineCounts = { questions: 0, refusedModels: 0, late: 0, askedAgain: 0, contradicted: 0 }
    const report = await compareEngines(cases, campaign, counts)
    if ('missing' in report) return report
    const seen = `${counts.refusedModels} models were refused, ${counts.late} answers came too late, ${counts.askedAgain} were asked again, for OpenFGA races its branches; ${counts.contradicted} lists are not what OpenFGA's own checks say, and ours are`
    return { report, asked: `${counts.questions} questions`, seen }
  }
}

function semantics(withConditions: boolean): Comparison['run'] {
  return async (campaign) => {
    const counts: SemanticsCounts = { questions: 0, refused: 0, askedAgain: 0 }
    const report = await compareSemantics(withConditions, campaign, counts)
    if ('missing' in report) return report
    const seen = `${counts.refused} of them without an answer; ${counts.askedAgain} were asked again`
    return { report, asked: `${counts.questions} questions`, seen }
  }
}

function requests(of: Parameters<typeof compareHttp>[0]): Comparison['run'] {
  return async (campaign) => {
    const counts = { requests: 0 }
    const report = await compareHttp(of, campaign, counts)
    return 'missing' in report ? report : { report, asked: `${counts.requests} requests` }
  }
}

/** Ten times as many: they cost little. */
function conditions(
  compare: (command: string, seed: number, runs: number) => Promise<Compared['report']>,
): Comparison['run'] {
  return async ({ seed, runs }) => {
    const oracle = findConditionOracle()
    if ('missing' in oracle) return oracle
    return { report: await compare(oracle.command, seed, runs * 10), asked: 'one evaluation each' }
  }
}
