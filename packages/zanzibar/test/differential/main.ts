import { formatComparison } from '@loadbearing/harness/oracle'
import { readCampaignOptions } from '@loadbearing/tooling/campaign'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { storeKinds } from '../stores/open-test-store.ts'
import { type Compared, type ComparisonOptions, comparisons } from './comparisons.ts'
import { compareFgaCli, type FgaAnswer } from './fga-cli.ts'

const usage = `usage: pnpm differential zanzibar [--seed N] [--runs N] [--only NAME] [--store NAME] [--record]
       pnpm differential zanzibar --fga PROGRAM
  --seed N     the same seed makes the same cases (default: drawn)
  --runs N     random cases of each comparison; of conditions and regular expressions ten times as many (default 300)
  --only NAME  one comparison: ${comparisons.map(({ name }) => name).join(', ')}
  --store NAME what ours keeps its tuples in: memory (default), sqlite, postgres; with another one than
               memory, what stores nothing is left out
  --fga PROGRAM  the command line of OpenFGA, \`fga\`, drives \`zanzibar serve\` and OpenFGA: all that it says is compared
  --record     writes the table of the README, where all were compared
OpenFGA is that of PATH, or of the environment's OPENFGA; its conditions are built with Go.`

const only = taken('--only', true)
const storeName = taken('--store', true) ?? 'memory'
const store = storeKinds.find((each) => each === storeName)
const isRecording = taken('--record', false) !== undefined
const program = taken('--fga', true)
const campaign = readCampaignOptions(usage, 300)
if (program !== undefined && campaign !== undefined) await fgaCli(program)
else if (campaign !== undefined) {
  const all = comparisons.filter(({ isStored }) => isStored || store === 'memory')
  const chosen = all.filter(({ name }) => only === undefined || name === only)
  if (store !== undefined && chosen.length > 0) {
    await differential({ ...campaign, store }, chosen, chosen.length === all.length)
  } else {
    console.error(`--store and --only must be one of those:\n${usage}`)
    process.exitCode = 2
  }
}

async function fgaCli(path: string): Promise<void> {
  const compared = await compareFgaCli(path)
  if ('missing' in compared) {
    console.log(`SKIPPED, ${compared.missing}`)
    return
  }
  const { answers, differences } = compared
  for (const { ours, theirs } of differences)
    console.log(`\nfga ${ours.command}\n  ours:   ${shown(ours)}\n  theirs: ${shown(theirs)}`)
  const done = answers.filter(({ status }) => status === 0).length
  console.log(
    `${answers.length} commands of fga, ${done} done and ${answers.length - done} refused: ${differences.length} differed`,
  )
  if (differences.length > 0) process.exitCode = 1
}

function shown(answer: FgaAnswer | undefined): string {
  return answer === undefined ? 'none' : `${answer.status} ${answer.output.trim()}`
}

/** Takes an option of our own off the command line: what the campaign's reader does not know, it refuses. */
function taken(option: string, valued: boolean): string | undefined {
  const at = process.argv.indexOf(option)
  if (at === -1) return undefined
  const [, value] = process.argv.splice(at, valued ? 2 : 1)
  return value ?? ''
}

async function differential(
  options: ComparisonOptions,
  chosen: typeof comparisons,
  isWhole: boolean,
): Promise<void> {
  const { seed, runs, store: kind } = options
  console.log(`seed ${seed}, ${runs} runs, ${kind}`)
  const rows: (string | number)[][] = []
  const notes: string[] = []
  for (const { what, run } of chosen) {
    const compared = await run(options)
    if ('missing' in compared) {
      console.log(`\n${what}: SKIPPED, ${compared.missing}`)
      continue
    }
    const { report, asked, seen } = compared
    console.log(`\n${what}: ${asked}\n${formatComparison(report)}`)
    if (seen !== undefined) console.log(seen)
    for (const { case: shrunk } of report.differences) console.log(JSON.stringify(shrunk))
    rows.push([what, report.cases, asked, differed(report), known(report)])
    notes.push(...report.known.filter(({ cases }) => cases > 0).map(({ reason }) => `As known: ${reason}.`))
    if (differed(report) > 0 || report.unanswered.length > 0) process.exitCode = 1
  }
  if (!isRecording) return
  if (!isWhole || rows.length < chosen.length) {
    console.log('not everything was compared, and no evidence is recorded')
    return
  }
  recordEvidence(
    new URL('../..', import.meta.url),
    kind === 'memory' ? 'differential' : `differential-${kind}`,
    {
      command: `pnpm differential zanzibar --seed ${seed} --runs ${runs}${kind === 'memory' ? '' : ` --store ${kind}`} --record`,
      seed,
      versions: { openfga: '1.22.1' },
      columns: ['what', 'cases', 'asked', 'differed', 'as known'],
      rows,
      notes: [...new Set(notes)],
    },
  )
}

function differed({ differences }: Compared['report']): number {
  return differences.reduce((sum, { cases }) => sum + cases, 0)
}

function known(report: Compared['report']): number {
  return report.known.reduce((sum, { cases }) => sum + cases, 0)
}
