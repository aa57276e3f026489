import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { postgres } from '@loadbearing/harness/services'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { consistencyCampaign } from './consistency.ts'
import { fuzzCampaign } from './fuzz.ts'
import { killReader } from './kill-reader.ts'
import { killWriters } from './kill-writers.ts'
import { seeded } from './seeded.ts'

const usage = `usage: faults [--campaign kills|consistency|fuzz] [--seed N] [--record] …
  --campaign kills        kills processes that write to a store, and one that follows its changes, and looks at what came of it
    --kills N             writers killed for each store (default: 1000)
    --changes N           changes that a reader follows for each store, killed 20 times meanwhile (default: 100000)
    --store sqlite|pg     one store only
  --campaign consistency  tokens against new enemies, and lists in pages while others write, on every store
    --questions N         questions that come too late, for each store (default: 100000)
    --objects N           objects of the list (default: 10000)
  --campaign fuzz         random identifiers, JSON bodies, models and tokens: every error must be typed
    --seconds N           how long (default: 600)
  --record                records what came of it as evidence`

const campaignNames = ['kills', 'consistency', 'fuzz']
const { values } = parseArgs({
  options: {
    campaign: { type: 'string', default: 'kills' },
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '1000' },
    changes: { type: 'string', default: '100000' },
    store: { type: 'string' },
    questions: { type: 'string', default: '100000' },
    objects: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '600' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const numbers = [
  values.seed,
  values.kills,
  values.changes,
  values.questions,
  values.objects,
  values.seconds,
].map(Number)
const [seed = 1, kills = 0, changes = 0, questions = 0, objects = 0, seconds = 0] = numbers
const { campaign, record: recording } = values
if (
  values.help ||
  !campaignNames.includes(campaign) ||
  !numbers.every((each) => Number.isSafeInteger(each) && each >= 0)
) {
  console.log(usage)
  process.exitCode = values.help ? 0 : 2
} else if (campaign === 'kills') await run()
else if (campaign === 'consistency') {
  if (!(await consistencyCampaign({ seed, questions, objects, record: recording }))) process.exitCode = 1
} else if (!(await fuzzCampaign({ seed, seconds, record: recording }))) process.exitCode = 1

async function run(): Promise<void> {
  if (values.store !== 'pg') {
    const folder = await mkdtemp(join(tmpdir(), 'zanzibar-'))
    try {
      // SQLite has one writer at a time: lanes of one process would only stand in a row.
      record('sqlite', await campaigns('SQLite', (name) => join(folder, name), 64, 1))
    } finally {
      await rm(folder, { recursive: true })
    }
  }
  if (values.store !== 'sqlite') {
    await using server = await postgres()
    record('pg', await campaigns('PostgreSQL', () => server.url, 4, 16))
  }
}

function record(store: 'sqlite' | 'pg', rows: (string | number)[][]): void {
  if (!recording || process.exitCode === 1) return
  recordEvidence(new URL('../..', import.meta.url), `faults-${store}`, {
    command: `pnpm --filter @loadbearing/zanzibar faults --store ${store} --seed ${seed} --kills ${kills} --changes ${changes} --record`,
    seed,
    versions: { node: process.versions.node },
    columns: ['store', 'what', 'kills', 'of', 'violations'],
    rows,
    notes: [
      'A violation would be a write that is there in part, one that was answered and is not there, or a change that a reader had twice, not at all or in another order.',
    ],
  })
}

async function campaigns(
  name: string,
  addressOf: (part: string) => string,
  processes: number,
  lanes: number,
): Promise<(string | number)[][]> {
  const rows: (string | number)[][] = []
  if (kills > 0) {
    const writing = await killWriters(addressOf('writers'), { kills, random: seeded(seed) })
    rows.push([
      name,
      'writers, two at a time',
      writing.kills,
      `${writing.revisions} commits`,
      writing.violations.length,
    ])
    tell(name, writing)
  }
  if (changes > 0) {
    const random = seeded(seed + 1)
    const reading = await killReader(addressOf('reader'), { changes, kills: 20, processes, lanes, random })
    rows.push([
      name,
      `a reader behind ${processes * lanes} writers`,
      reading.kills,
      `${reading.changes} changes`,
      reading.violations.length,
    ])
    tell(name, reading)
  }
  return rows
}

function tell(name: string, result: { readonly violations: readonly string[] }): void {
  console.log(`${name}: ${JSON.stringify({ ...result, violations: result.violations.slice(0, 20) })}`)
  if (result.violations.length > 0) process.exitCode = 1
}
