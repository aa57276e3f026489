import { parseArgs } from 'node:util'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { runCampaign } from './campaign.ts'
import type { Violation } from './checks.ts'
import { controls } from './controls.ts'
import { killingFaults } from './nemesis.ts'
import type { StoreKind } from './programs/settings.ts'
import { leaseByDefault } from './stand.ts'
import { openStage } from './stores/open.ts'
import { postgresStage } from './stores/postgres.ts'
import type { Stage } from './stores/stage.ts'
import { type Mishap, sweep } from './sweep.ts'

const usage = `usage: faults [--seed N] [--runs N | --kills N] [--store pg|redis|sqlite] [--transfers N] [--sweep] [--controls] [--record]
Kills, stops and cuts off servers, bank and store while money is moved, and looks at what came of it.
  --runs      campaigns, with seeds from --seed on; the same seed makes the same faults (default: 1)
  --kills     campaigns until there were so many kills
  --sweep     every place where a server waits for something: it dies there, stands still, or is not answered
  --controls  ways to keep keys that must be found out
  --record    records what was asked for as evidence
Without options: all places, 2,000 kills and the controls, recorded.`

const stores: readonly StoreKind[] = ['postgres', 'redis', 'sqlite']
const mishaps: readonly Mishap[] = [
  'death',
  'death, nobody asks',
  'death, asked again too late',
  'pause',
  'lost answer',
]
const killsToRecord = 2000

/** What is to be done. */
interface Plan {
  readonly seed: number
  readonly runs: number
  readonly kills: number
  readonly transfers: number
  readonly stores: readonly StoreKind[]
  readonly sweep: boolean
  readonly controls: boolean
  readonly record: boolean
}

/** A table of the evidence. */
interface Table {
  readonly rows: (string | number)[][]
  readonly notes: string[]
  kills: number
}

const columnsOf = {
  'fault-places': ['what befalls a server', 'places', 'kills', 'violations of I1 to I7'],
  faults: ['store', 'campaigns', 'transfers', 'kills', 'other faults', 'violations of I1 to I7'],
  'fault-controls': ['must be flagged', 'faults', 'violations', 'of'],
}

const plan = read(process.argv.slice(2))
if (typeof plan === 'string') {
  console.log(plan)
  process.exitCode = plan === usage ? 0 : 2
} else await carryOut(plan)
// Connections to servers that were killed need not end by themselves.
process.exit()

function read(args: string[]): Plan | string {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: '1' },
      runs: { type: 'string' },
      kills: { type: 'string', default: args.length === 0 ? String(killsToRecord) : '0' },
      store: { type: 'string' },
      transfers: { type: 'string', default: '40' },
      sweep: { type: 'boolean', default: args.length === 0 },
      controls: { type: 'boolean', default: args.length === 0 },
      record: { type: 'boolean', default: args.length === 0 },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return usage
  const others = values.sweep || values.controls || values.kills !== '0'
  const numbers = [values.seed, values.runs ?? (others ? '0' : '1'), values.kills, values.transfers].map(
    Number,
  )
  const [seed = 1, runs = 1, kills = 0, transfers = 40] = numbers
  const name = values.store === 'pg' ? 'postgres' : values.store
  const chosen = stores.filter((store) => name === undefined || store === name)
  if (chosen.length === 0) return `there is no store ${name}\n${usage}`
  if (!numbers.every((each) => Number.isSafeInteger(each) && each >= 0)) return `no number\n${usage}`
  return { ...values, seed, runs, kills, transfers, stores: chosen }
}

async function carryOut(chosen: Plan): Promise<void> {
  const places: Table = { rows: [], notes: [], kills: 0 }
  const random: Table = { rows: [], notes: [], kills: 0 }
  const flagged: Table = { rows: [], notes: [], kills: 0 }
  await Promise.all(
    chosen.stores.map(async (store) => {
      await using stage = await openStage(store)
      if (chosen.sweep) for (const mishap of mishaps) await sweepBy(mishap, stage, places)
      await campaigns(stage, chosen, random)
    }),
  )
  if (chosen.controls) for (const control of controls) await flag(control, chosen.seed, flagged)
  const asItShouldBe = process.exitCode === undefined
  console.log(
    `${places.kills + random.kills} kills, seed ${chosen.seed}${asItShouldBe ? '' : ': NOT AS IT SHOULD BE'}`,
  )
  if (!chosen.record || !asItShouldBe) return
  if (chosen.sweep) record('fault-places', '--sweep', chosen, places)
  if (chosen.kills > 0 || chosen.runs > 0) {
    random.notes.push(`${random.kills} kills of servers, banks and stores`)
    record('faults', chosen.kills > 0 ? `--kills ${chosen.kills}` : `--runs ${chosen.runs}`, chosen, random)
  }
  if (chosen.controls) record('fault-controls', '--controls', chosen, flagged)
}

function record(
  section: keyof typeof columnsOf,
  option: string,
  { seed }: Plan,
  { rows, notes }: Table,
): void {
  recordEvidence(new URL('../..', import.meta.url), section, {
    command: `pnpm --filter @loadbearing/stripe-idempotency faults --seed ${seed} ${option} --record`,
    seed,
    versions: { node: process.versions.node },
    columns: columnsOf[section],
    rows: rows.toSorted((a, b) => (section === 'fault-controls' ? 0 : String(a[0]) < String(b[0]) ? -1 : 1)),
    notes: notes.toSorted((a, b) => (a < b ? -1 : 1)),
  })
}

/** So many campaigns, or as many as it takes for this store's part of the kills. */
async function campaigns(
  stage: Stage,
  { seed, runs, kills, transfers, stores: all }: Plan,
  table: Table,
): Promise<void> {
  let [run, killed, others, found] = [0, 0, 0, 0]
  for (; run < runs || killed < kills / all.length; run++) {
    const campaign = await runCampaign({ seed: seed + run, stage, transfers })
    const { violations, faults, crashes, seen } = campaign
    killed += campaign.kills
    for (const [fault, count] of Object.entries(faults)) {
      if (!killingFaults.some((each) => each === fault)) others += count
    }
    found += violations.length
    console.log(
      `${stage.kind} seed ${seed + run}: ${violations.length} violations, ${campaign.kills} kills, ${seen.doubts.length} in doubt; ${JSON.stringify(faults)}; died at ${crashes.join(' ')}`,
    )
    tell(violations)
  }
  table.kills += killed
  if (run > 0) table.rows.push([stage.kind, run, run * transfers * 2, killed, others, found])
}

async function sweepBy(mishap: Mishap, stage: Stage, table: Table): Promise<void> {
  const { sites, missed, violations, staleHolders, usableAfter, doubts, kills } = await sweep({
    stage,
    mishap,
  })
  const { length: places } = sites
  const { kind } = stage
  table.kills += kills
  table.rows.push([`${kind}: ${mishap}`, places, kills, violations.length])
  const notes: Partial<Record<Mishap, string>> = {
    death: `${kind}: what a dead server had been asked for, in series one request after the other, was answered by others within ${usableAfter} ms in all; ${leaseByDefault} ms are its lease, and the pauses of clients are in it`,
    'death, asked again too late': `${kind}: of ${places} requests that were asked again when the bank might have forgotten, ${doubts} were uncertain; the bank was called again for none`,
    pause: `${kind}: ${staleHolders} holders that stood still for three leases were overtaken; each was told \`lease_lost\` and changed nothing`,
  }
  if (missed.length > 0) console.log(`${kind}, ${mishap}: no server came again by ${missed.join(', ')}`)
  const note = notes[mishap]
  if (note !== undefined) table.notes.push(note)
  console.log(`${kind}, ${mishap} at ${places} places: ${violations.length} violations; ${note ?? ''}`)
  tell(violations)
}

async function flag(control: (typeof controls)[number], seed: number, table: Table): Promise<void> {
  const { store, unlogged, what } = control
  await using stage = unlogged === true ? await postgresStage(true) : await openStage(store)
  const { violations, faults } = await runCampaign({ ...control, seed, stage, transfers: 8 })
  const kinds = [...new Set(violations.map(({ invariant }) => invariant))].toSorted((a, b) =>
    a < b ? -1 : 1,
  )
  console.log(`${what}: ${violations.length} violations, of ${kinds.join(' ')}; ${JSON.stringify(faults)}`)
  for (const { invariant, what: each } of violations.slice(0, 3)) console.log(`  ${invariant} ${each}`)
  if (violations.length === 0) {
    console.log('  IT WAS NOT FOUND OUT')
    process.exitCode = 1
  }
  const made = Object.entries(faults).map(([fault, count]) => `${fault} ${count}`)
  if (control.bankFaults > 0) made.push(`the bank fails in ${control.bankFaults * 100} % of calls`)
  table.rows.push([what, made.join(', ') || 'none', violations.length, kinds.join(' ')])
}

function tell(violations: readonly Violation[]): void {
  if (violations.length > 0) process.exitCode = 1
  for (const { invariant, what } of violations) console.log(`  ${invariant} ${what}`)
}
