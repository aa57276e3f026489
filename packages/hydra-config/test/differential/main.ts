import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { formatComparison, type Oracle, startOracle } from '@loadbearing/harness/oracle'
import { readCampaignOptions } from '@loadbearing/tooling/campaign'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { compareApps } from './apps.ts'
import { comparisons } from './comparisons.ts'
import { fuzz } from './fuzz.ts'
import { type FoundHydra, findHydra, type Judge } from './python.ts'

const names = comparisons.map(({ name }) => name).join(', ')
const usage = `usage: pnpm differential hydra-config [--seed N] [--runs N] [--only NAME] [--record] [--fuzz | --apps FOLDER]
  --seed N     the same seed makes the same cases (default: drawn)
  --runs N     overrides to compare (default 2000); of plain scalars twice as many, of folders of configs a 25th,
               of other texts half
  --only NAME  one comparison: ${names}
  --record     writes the table of the README: of all comparisons, or the own table of --only or --fuzz
  --fuzz       instead: N random texts to each of the parsers, whatever is no typed error fails
  --apps FOLDER  instead: every app below a folder, such as a checkout of Hydra, shows its configuration`

const home = new URL('../..', import.meta.url)
const only = taken('--only', true)
const apps = taken('--apps', true)
const fuzzing = taken('--fuzz', false) !== undefined
const recording = taken('--record', false) !== undefined
const options = readCampaignOptions(usage, 2000)
if (options !== undefined) {
  if (only !== undefined && !comparisons.some(({ name }) => name === only)) {
    console.error(`--only must be one of ${names}, not ${only}`)
    process.exitCode = 2
  } else if (apps !== undefined) await appsBelow(apps)
  else if (fuzzing) fuzzed(options.seed, options.runs)
  else await differential(options.seed, options.runs)
}

/** Takes an option of our own off the command line: what the campaign's reader does not know, it refuses. */
function taken(option: string, valued: boolean): string | undefined {
  const at = process.argv.indexOf(option)
  if (at === -1) return undefined
  const [, value] = process.argv.splice(at, valued ? 2 : 1)
  return value ?? ''
}

async function differential(seed: number, runs: number): Promise<void> {
  console.log(`seed ${seed}, ${runs} runs, ${availableParallelism()} processors`)
  const rows: string[][] = []
  const versions: Record<string, string> = {}
  let failed = false
  for (const judge of ['hydra-1.3', 'strict'] as const) {
    const asked = comparisons.filter((each) => each.judge === judge && (only ?? each.name) === each.name)
    const hydra = asked.length === 0 ? undefined : findHydra(judge)
    if (hydra === undefined) continue
    if ('missing' in hydra) {
      console.log(`SKIPPED ${asked.map(({ name }) => name).join(', ')}: ${hydra.missing}`)
      failed ||= process.env['CI'] !== undefined
      continue
    }
    Object.assign(versions, versionsOf(judge, hydra))
    await using oracle = oracleOf(hydra)
    for (const { what, compare } of asked) {
      const report = await compare(oracle, seed, runs)
      const differed = report.differences.reduce((sum, each) => sum + each.cases, 0)
      const unanswered = report.unanswered.length
      failed ||= differed > 0 || unanswered > 0
      const told = unanswered === 0 ? String(differed) : `${differed}; ${unanswered} unanswered`
      rows.push([what, String(report.cases), told])
      console.log(`\n${what}\n${formatComparison(report)}`)
    }
  }
  if (recording && rows.length === (only === undefined ? comparisons.length : 1)) {
    const section = only === undefined ? 'differential' : `differential-${only}`
    const columns = ['What', 'Cases', 'Differed']
    recordEvidence(home, section, { command: commandOf(seed, runs), seed, versions, columns, rows })
  } else if (recording) console.log('not everything was compared, and no evidence is recorded')
  console.log(failed ? 'DIFFERENCES FOUND' : 'no difference')
  if (failed) process.exitCode = 1
}

function oracleOf({ python: command }: FoundHydra): Oracle {
  const args = [join(import.meta.dirname, 'oracle.py')]
  // Of defaults lists in a circle it takes half a minute to find out, on a busy machine many.
  return startOracle({ command, args, timeout: '20m' })
}

async function appsBelow(folder: string): Promise<void> {
  const hydra = findHydra()
  if ('missing' in hydra) {
    console.log(`SKIPPED ${folder}: ${hydra.missing}`)
    if (process.env['CI'] !== undefined) process.exitCode = 1
    return
  }
  await using oracle = oracleOf(hydra)
  const { apps: compared, storing, lines, differed, left } = await compareApps(oracle, folder, console.log)
  for (const { app, reason } of left) console.log(`not compared: ${app} ${reason}`)
  console.log(
    `${compared} apps (${storing} with a ConfigStore), ${lines} command lines, ${differed} differed; hydra-core ${hydra.hydraCore}, omegaconf ${hydra.omegaconf}`,
  )
  if (differed > 0 || compared === 0) process.exitCode = 1
}

function fuzzed(seed: number, runs: number): void {
  const rows = fuzz(seed, runs)
  if (!recording || rows === undefined) return
  const columns = ['Random texts put to', 'Texts', 'Read', 'Thrown that is no typed error']
  recordEvidence(home, 'fuzz', { command: commandOf(seed, runs), seed, versions: {}, columns, rows })
}

function commandOf(seed: number, runs: number): string {
  const what = only === undefined ? (fuzzing ? ' --fuzz' : '') : ` --only ${only}`
  return `pnpm differential hydra-config${what} --seed ${seed} --runs ${runs} --record`
}

function versionsOf(
  judge: Judge,
  { hydraCore, omegaconf }: { hydraCore: string; omegaconf: string },
): Record<string, string> {
  const of = judge === 'strict' ? ' of strict' : ''
  return { [`hydra-core${of}`]: hydraCore, [`omegaconf${of}`]: omegaconf }
}
