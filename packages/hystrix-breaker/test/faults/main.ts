import { redis, skipWithout } from '@loadbearing/harness/services'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { type FleetRun, runFleet, timeCalls } from '../redis/fleet.ts'

// The fleet of item 25 of the acceptance list, again and again, with its times: about a minute. The other faults of the
// specification's section 6, and this one once, run with every test.

if (process.argv.length > 2) {
  console.log('usage: node test/faults/main.ts\nTakes no options; about a minute.')
  process.exit(process.argv.slice(2).every((argument) => argument === '--help' || argument === '-h') ? 0 : 2)
}
if (skipWithout('redis') !== false) process.exit(0)

const rounds = 10
const runs: FleetRun[] = []
await using server = await redis({ name: 'breaker-fleet' })
for (let round = 1; round <= rounds; round++) {
  const run = await runFleet(server.url)
  runs.push(run)
  console.log(`round ${round}: ${JSON.stringify(run)}`)
}
const { usual, slow, paused, stopped } = await timeCalls(server)

const rows: [what: string, wanted: string, found: string, verdict: string][] = []
function judge(what: string, wanted: string, found: string, good: boolean): void {
  rows.push([what, wanted, found, good ? 'holds' : 'DOES NOT HOLD'])
  console.log(rows.at(-1)?.join(' | '))
  if (!good) process.exitCode = 1
}

const spread = (times: readonly number[]): string => {
  const sorted = times.toSorted((a, b) => a - b)
  return `median ${(sorted[sorted.length >> 1] ?? 0).toFixed(1)} ms, worst ${(sorted.at(-1) ?? 0).toFixed(1)} ms`
}
const opening = runs.map(({ openedAfter }) => openedAfter)
judge(
  `the upstream of 5 processes gets SIGKILL, ${rounds} times; 3 call it, quorum 3`,
  'the others open within 200 ms of the quorum',
  spread(opening),
  Math.max(...opening) < 200,
)
const probes = runs.map((run) => run.probes)
judge(
  'it comes back and holds its answer, while each of 4 is refused 200 times more',
  'exactly one probe in the fleet',
  `${Math.min(...probes)} to ${Math.max(...probes)}`,
  probes.every((each) => each === 1),
)
const closing = runs.map(({ closedAfter }) => closedAfter)
judge(
  'the probe succeeds',
  'the others close within 200 ms of the first',
  spread(closing),
  Math.max(...closing) < 200,
)
for (const [condition, p99] of [
  ['2 s slow', slow],
  ['paused', paused],
  ['stopped', stopped],
] as const) {
  judge(
    `Redis is ${condition}: 50,000 calls of one turn of the event loop each`,
    'p99 grows by less than 1 ms',
    `${(p99 * 1000).toFixed(1)} µs, with Redis ${(usual * 1000).toFixed(1)} µs`,
    p99 - usual < 1,
  )
}

recordEvidence(new URL('../..', import.meta.url), 'fleet', {
  command: 'pnpm prove hystrix-breaker',
  versions: {},
  columns: ['Fault', 'Wanted', 'Found', ''],
  rows,
  notes: [
    'Breakers, upstream and Redis are processes of their own, on one machine. Two of the five make no calls until all are open: what they know they have from Redis.',
  ],
})
