import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import {
  type ComparisonReport,
  compareWithOracle,
  formatComparison,
  startOracle,
} from '@loadbearing/harness/oracle'
import { readCampaignOptions } from '@loadbearing/tooling/campaign'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { answerOf, ourConfig, ourOverride, ourValue, sameAnswer } from './answers.ts'
import { configCase, sweepCase } from './config-cases.ts'
import { overrideText } from './override-cases.ts'
import { findHydra } from './python.ts'
import { dumpCase, interpolateCase, mergeCase, yamlCase } from './value-cases.ts'

const usage = `usage: pnpm differential hydra-config [--seed N] [--runs N]
  --seed N  the same seed makes the same cases (default: drawn)
  --runs N  overrides to compare (default 2000; of folders of configs a tenth)`

const rows: string[][] = []
let failed = false

const options = readCampaignOptions(usage, 2000)
if (options !== undefined) await differential(options.seed, options.runs)

async function differential(seed: number, runs: number): Promise<void> {
  console.log(`seed ${seed}, ${runs} runs, ${availableParallelism()} processors`)
  const hydra = findHydra()
  if ('missing' in hydra) {
    console.log(`SKIPPED all comparisons: ${hydra.missing}`)
    if (process.env['CI'] !== undefined) process.exitCode = 1
    return
  }
  await using oracle = startOracle({
    command: hydra.python,
    args: [join(import.meta.dirname, 'oracle.py')],
    timeout: '60s',
  })
  note(
    'Overrides: random ones of the grammar, with one character changed, and of any characters; value, or class and offset of the error',
    await compareWithOracle({
      arbitrary: overrideText,
      ours: ourOverride,
      theirs: async (text) => answerOf(await oracle.ask({ op: 'override', text })),
      equal: sameAnswer,
      known: [
        {
          reason: 'shuffle() of a list draws its order when it is parsed',
          covers: (text, ours, theirs) => text.includes('shuffle') && 'ok' in ours && 'ok' in theirs,
        },
      ],
      seed,
      runs,
    }),
  )
  for (const op of ['defaults', 'compose', 'sweep'] as const) {
    note(
      `\`${op}\`: random folders of configs and command lines; answer, or class of the error`,
      await compareWithOracle({
        arbitrary: op === 'sweep' ? sweepCase : configCase,
        ours: (input) => ourConfig(op, input),
        theirs: async (input) => answerOf(await oracle.ask({ op, ...input })),
        equal: sameAnswer,
        seed,
        runs: Math.ceil(runs / 10),
        maxDifferences: 2,
      }),
    )
  }
  const valueCases = { yaml: yamlCase, dump: dumpCase, merge: mergeCase, interpolate: interpolateCase }
  for (const [op, arbitrary] of Object.entries(valueCases)) {
    note(
      `\`${op}\`: random YAML texts; answer, or class of the error`,
      await compareWithOracle({
        arbitrary,
        ours: ourValue,
        theirs: async (input) => answerOf(await oracle.ask(input)),
        equal: sameAnswer,
        known: [
          {
            reason: 'a key -0.0 is 0.0, as a Map of JavaScript holds it',
            covers: (_, ours, theirs) => unsignedZeros(ours) === unsignedZeros(theirs),
          },
        ],
        seed,
        runs: Math.ceil(runs / 2),
      }),
    )
  }
  const [hydraCore = '', omegaconf = ''] = hydra.version.split(' ')
  recordEvidence(new URL('../..', import.meta.url), 'differential', {
    command: `pnpm differential hydra-config --seed ${seed} --runs ${runs}`,
    seed,
    versions: { 'hydra-core': hydraCore, omegaconf },
    columns: ['What', 'Cases', 'Differed'],
    rows,
  })
  console.log(failed ? 'DIFFERENCES FOUND' : 'no difference')
  if (failed) process.exitCode = 1
}

function unsignedZeros(answer: unknown): string {
  return JSON.stringify(answer).replaceAll('-0.0', '0.0')
}

function note(what: string, report: ComparisonReport<unknown, unknown, unknown>): void {
  const differed = report.differences.reduce((sum, each) => sum + each.cases, 0)
  const unanswered = report.unanswered.length
  failed ||= differed > 0 || unanswered > 0
  rows.push([
    what,
    String(report.cases),
    unanswered === 0 ? String(differed) : `${differed}; ${unanswered} unanswered`,
  ])
  console.log(`\n${what}\n${formatComparison(report)}`)
}
