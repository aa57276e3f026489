import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { formatComparison, startOracle } from '@loadbearing/harness/oracle'
import { readCampaignOptions } from '@loadbearing/tooling/campaign'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { comparisons } from './comparisons.ts'
import { fuzz } from './fuzz.ts'
import { findHydra, type Judge } from './python.ts'

const names = comparisons.map(({ name }) => name).join(', ')
const usage = `usage: pnpm differential hydra-config [--seed N] [--runs N] [--only NAME] [--fuzz]
  --seed N     the same seed makes the same cases (default: drawn)
  --runs N     overrides to compare (default 2000); of plain scalars twice as many, of folders of configs a 25th,
               of other texts half
  --only NAME  one comparison, which leaves no evidence: ${names}
  --fuzz       instead: N random texts to each of the parsers, whatever is no typed error fails`

const only = taken('--only', true)
const fuzzing = taken('--fuzz', false) !== undefined
const options = readCampaignOptions(usage, 2000)
if (options !== undefined) {
  if (only !== undefined && !comparisons.some(({ name }) => name === only)) {
    console.error(`--only must be one of ${names}, not ${only}`)
    process.exitCode = 2
  } else if (fuzzing) fuzz(options.seed, options.runs)
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
    await using oracle = startOracle({
      command: hydra.python,
      args: [join(import.meta.dirname, 'oracle.py')],
      // Of defaults lists in a circle it takes half a minute to find out.
      timeout: '5m',
    })
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
  if (only === undefined && rows.length > 0) {
    const command = `pnpm differential hydra-config --seed ${seed} --runs ${runs}`
    const columns = ['What', 'Cases', 'Differed']
    recordEvidence(new URL('../..', import.meta.url), 'differential', {
      command,
      seed,
      versions,
      columns,
      rows,
    })
  }
  console.log(failed ? 'DIFFERENCES FOUND' : 'no difference')
  if (failed) process.exitCode = 1
}

function versionsOf(
  judge: Judge,
  { hydraCore, omegaconf }: { hydraCore: string; omegaconf: string },
): Record<string, string> {
  const of = judge === 'strict' ? ' of strict' : ''
  return { [`hydra-core${of}`]: hydraCore, [`omegaconf${of}`]: omegaconf }
}
