import { parseArgs } from 'node:util'
import { postgres } from '@loadbearing/harness/services'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { runCampaign, type Variant } from './campaign.ts'
import { violationsOf } from './checks.ts'

const usage = `usage: node test/faults/main.ts [--seed N] [--runs N] [--transfers N] [--variant ours] [--controls]
Campaigns with seeds from --seed on. --controls runs the ways that must be flagged as well, and records the evidence.`

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    transfers: { type: 'string', default: '40' },
    variant: { type: 'string', default: 'ours' },
    controls: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  console.log(usage)
  process.exit(0)
}
const [seed, runs, transfers] = [Number(values.seed), Number(values.runs), Number(values.transfers)]
if (![seed, runs, transfers].every((each) => Number.isSafeInteger(each) && each > 0)) {
  console.error(usage)
  process.exit(2)
}
const controls = [
  'unlogged',
  'get-then-set',
  'no-fence',
  'send-before-store',
  'lease-as-ttl',
  'delete-on-error',
] as const
const chosen = ['ours', ...controls].find((each): each is Variant => each === values.variant)
if (chosen === undefined) {
  console.error(`${usage}\n--variant must be one of ours, ${controls.join(', ')}, not ${values.variant}`)
  process.exit(2)
}

const database = await postgres({ name: 'idempotency-faults' })
const rows: (string | number)[][] = []
await measure(chosen, runs, chosen === 'ours')
if (values.controls) for (const each of controls) await measure(each, 1, false)
if (values.controls && process.exitCode === undefined) {
  recordEvidence(new URL('../..', import.meta.url), 'faults', {
    command: `pnpm --filter @loadbearing/stripe-idempotency faults --seed ${seed} --runs ${runs} --transfers ${transfers} --controls`,
    seed,
    versions: { node: process.versions.node },
    columns: ['keys kept by', 'transfers', 'kills', 'other faults', 'violations', 'of'],
    rows,
  })
}
await database.stop()
// Connections to servers that were killed need not end by themselves.
process.exit()

async function measure(variant: Variant, times: number, mustHold: boolean): Promise<void> {
  let violations = 0
  let [kills, others] = [0, 0]
  const kinds = new Set<string>()
  for (let run = 0; run < times; run++) {
    const { seen, faults, crashes } = await runCampaign({ seed: seed + run, variant, transfers, database })
    const found = violationsOf(seen)
    violations += found.length
    for (const { invariant } of found) kinds.add(invariant)
    for (const [fault, count] of Object.entries(faults)) {
      if (fault.endsWith('killed')) kills += count
      else others += count
    }
    console.log(
      `${variant} seed ${seed + run}: ${found.length} violations; ${JSON.stringify(faults)}; died at ${crashes.join(' ')}`,
    )
    for (const { invariant, what } of mustHold ? found : found.slice(0, 3))
      console.log(`  ${invariant} ${what}`)
  }
  if ((violations === 0) !== (variant === 'ours')) process.exitCode = 1
  rows.push([
    variant,
    times * transfers * 2,
    kills,
    others,
    violations,
    [...kinds].toSorted().join(' ') || '-',
  ])
}
