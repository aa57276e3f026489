import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { flap } from './flap.ts'
import { keyedSpread } from './flood.ts'
import { killOne } from './kill-one.ts'
import { spoof } from './spoof.ts'
import { startCommand, startStand } from './stand.ts'

// The faults of the specification's section 6 that take long, in full: about two minutes. The other faults, and these in
// short, run with every test: kill.test.ts (2, and 19 of the acceptance list), pool.test.ts (3, 4, 5, 6, 8, 10, 12), rebuild-crash.test.ts (8), probes.test.ts (7), proxy.test.ts (11),
// ../acceptance.test.ts (1), ../snapshot.test.ts (9).

if (process.argv.length > 2) {
  console.log('usage: node test/faults/main.ts\nTakes no options; about two minutes.')
  process.exit(process.argv.slice(2).every((argument) => argument === '--help' || argument === '-h') ? 0 : 2)
}

const rows: [fault: string, wanted: string, found: string, verdict: string][] = []
const count = (number: number): string => number.toLocaleString('en-US')

function judge(fault: string, wanted: string, found: string, good: boolean): void {
  rows.push([fault, wanted, found, good ? 'holds' : 'DOES NOT HOLD'])
  console.log(rows.at(-1)?.join(' | '))
  if (!good) process.exitCode = 1
}

for (const { what, start, rate, seconds, long } of [
  {
    what: 'TCP proxy of the library',
    start: () => startStand('tcp', 10),
    rate: 2000,
    seconds: 5,
    long: 1000,
  },
  { what: '`maglev proxy --tcp`', start: () => startCommand('tcp', 10), rate: 2000, seconds: 5, long: 1000 },
  {
    what: '`maglev proxy`, requests of HTTP',
    start: () => startCommand('http', 10),
    rate: 500,
    seconds: 5,
    long: 500,
  },
]) {
  await using stand = await start()
  const kill = await killOne(stand, rate, seconds, long)
  judge(
    `${what}: one of 10 backends gets SIGKILL at ${count(Math.round(kill.opened / (2 * seconds)))} new ones a second, ${count(kill.longOnDead + kill.longOnOthers)} others open`,
    'what was in flight on it breaks, nothing of the others, nothing that began later',
    `${kill.longOnDead} of its ${kill.longOnDead} open ones and ${kill.brokenOnDead - kill.longOnDead} short ones; of the others ${kill.brokenOnOthers} of ${count(kill.opened + kill.longOnOthers)}; later ${kill.brokenLater}`,
    kill.brokenOnOthers === 0 && kill.brokenLater === 0,
  )
  judge(
    'the same',
    'its keys move within probe or outlier time, no others',
    `found after ${kill.foundMs} ms; ${count(kill.movedOn)} served by another backend, ${kill.strayed} of other backends by a wrong one`,
    kill.movedOn > 0 && kill.strayed === 0 && kill.foundMs < 3000,
  )
}

const flapping = await flap(60, 1000, 65_537)
judge(
  'a backend of 1,000 flaps at 10 Hz for 60 s',
  '≤ 1 rebuild in 50 ms; event-loop delay p99 < 5 ms; the same table in the end',
  `${flapping.rebuilds} rebuilds of ${flapping.changes} changes, the closest ${flapping.closest.toFixed(0)} ms apart; p99 ${flapping.delayP99.toFixed(2)} ms, of an idle thread meanwhile ${flapping.idleP99.toFixed(2)} ms; ${flapping.sameTable ? 'the same' : 'ANOTHER'} table`,
  // Between two that are asked for 50 ms apart, the first of which is late, there are fewer.
  flapping.rebuilds <= 60 * 20 && flapping.closest > 40 && flapping.delayP99 < 5 && flapping.sameTable,
)

setFlagsFromString('--expose-gc')
const flood = spoof(10_000_000, 65_536, () => runInNewContext('gc')())
judge(
  '10,000,000 spoofed flows, tracker of 65,536',
  'memory flat, look-ups right, flows of before the flood keep their backend',
  `grown by ${(flood.grown / 1024).toFixed(0)} KiB; ${flood.wrong} wrong; ${flood.keptFlows} of ${flood.flowsBefore} kept`,
  flood.grown < 2 * 2 ** 20 && flood.wrong === 0 && flood.keptFlows === flood.flowsBefore,
)

const { aimed, spreads } = keyedSpread(100_000, 200)
const within = spreads.filter(({ count: hits, mean, sigma }) => Math.abs(hits - mean) < 3 * sigma).length
judge(
  `${count(aimed)} keys crafted against the public hash for one of 10 backends, 200 secrets`,
  'the backend gets its fair share within 3 sigma (of 200 fair draws 0 to 4 are outside, with 99.9 %)',
  `within for ${within} of 200`,
  within >= 196,
)

recordEvidence(new URL('../..', import.meta.url), 'faults', {
  command: 'pnpm prove maglev',
  versions: {},
  columns: ['Fault (specification, section 6)', 'Wanted', 'Found', ''],
  rows,
  notes: [
    'Backends, proxy and client of the first rows are processes of their own, on the same machine; the client knows by a table of its own which backend should serve each source address.',
    'The faults of section 6 that do not take long run with every test, `pnpm test maglev`, in `test/faults`.',
  ],
})
