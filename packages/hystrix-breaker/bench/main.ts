import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import {
  type ComparisonResult,
  compare,
  formatTable,
  type Subject,
  tableOf,
} from '@loadbearing/harness/bench'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { failingCosts } from './failing.ts'
import { httpRates } from './http.ts'
import { otherRuntimes } from './other-runtimes.ts'

/** A row of the table of targets: item of the specification's section 10, what was measured, whether it holds. */
type Verdict = readonly [item: string, what: string, measured: string, target: string, met: string]

const file = (name: string): URL => new URL(name, import.meta.url)
const packageFolder = file('..')
const command = 'pnpm bench hystrix-breaker'
const usage = `usage: ${command}
Calls through a breaker, let through, refused, at once and in a pipeline, beside cockatiel, opossum, mollitia and brakes;
failing calls, idle breakers, requests over HTTP; gobreaker and Resilience4j where Go and Java are.
About ten minutes; writes the tables of the README.`
const versions = { brakes: '3.1.0', cockatiel: '4.0.0', mollitia: '0.1.1', opossum: '10.0.0', undici: '8' }

if (process.argv.length > 2) {
  console.log(usage)
  process.exit(process.argv.slice(2).every((argument) => argument === '--help' || argument === '-h') ? 0 : 2)
}

function subject(name: string, of: string, module = './subjects.ts'): Subject {
  return { name, module: file(module), export: of }
}

async function measure(work: string, subjects: readonly Subject[], rounds = 15): Promise<ComparisonResult> {
  const result = await compare({ work, baseline: 'ours', subjects, cases: [0], answers: 'equal', rounds })
  console.log(`${formatTable(result)}\n`)
  return result
}

const brakes = './brakes-subjects.ts'
// Calls so short vary by a third from one round to the next.
const closed = await measure(
  'closed circuit',
  [
    subject('ours', 'oursBulkhead'),
    subject('ours, with a time limit', 'oursDefaults'),
    subject('no breaker', 'bare'),
    subject('cockatiel, consecutive', 'cockatielConsecutive'),
    subject('cockatiel, sampling', 'cockatielSampling'),
    subject('mollitia, count window', 'mollitia'),
    subject('opossum, defaults', 'opossum'),
    subject('brakes, defaults', 'brakes', brakes),
  ],
  101,
)
const whole = await measure('closed circuit, time limit, bulkhead', [
  subject('ours', 'oursWhole'),
  subject('cockatiel, wrap', 'cockatielWrap'),
  subject('mollitia', 'mollitiaWhole'),
])
const open = await measure('open circuit, refused and caught', [
  subject('ours', 'oursOpen'),
  subject('cockatiel', 'cockatielOpen'),
  subject('mollitia', 'mollitiaOpen'),
  subject('opossum', 'opossumOpen'),
  subject('brakes', 'brakesOpen', brakes),
])
const pipelines = './pipeline-subjects.ts'
const results = [
  closed,
  whole,
  open,
  await measure('64 calls at once, each waiting a turn of the loop', [
    subject('ours', 'oursAtOnce'),
    subject('no breaker', 'bareAtOnce'),
    subject('cockatiel, sampling', 'cockatielAtOnce'),
    subject('cockatiel, wrap', 'cockatielWrapAtOnce'),
    subject('opossum, defaults', 'opossumAtOnce'),
  ]),
  await measure('pipeline of retry, breaker, time limit, bulkhead', [
    subject('ours', 'oursPipeline', pipelines),
    subject('ours, hedged as well', 'oursPipelineHedged', pipelines),
    subject('cockatiel, wrap', 'cockatielPipeline', pipelines),
  ]),
  await measure('the same, its signal looked at', [
    subject('ours', 'oursPipelineSignal', pipelines),
    subject('cockatiel, wrap', 'cockatielPipelineSignal', pipelines),
  ]),
]

function ratioOf({ measured }: ComparisonResult, name: string): number {
  return measured.find((each) => each.name === name)?.ratio.median ?? Number.NaN
}

function atLeast(item: string, what: string, times: number, target: number): Verdict {
  return [item, what, `${times.toFixed(2)} times`, `at least ${target} times`, times >= target ? 'yes' : 'NO']
}

function atMost(item: string, what: string, value: number, target: number, unit: string): Verdict {
  const met = value <= target ? 'yes' : 'NO'
  return [item, what, `${value.toFixed(2)}${unit}`, `at most ${target}${unit}`, met]
}

function footprint(...args: readonly string[]): Readonly<Record<string, number>> {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--conditions=@loadbearing/source', '--expose-gc', fileURLToPath(file('./footprint.ts')), ...args],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`footprint ${args.join(' ')} ended with ${status}: ${stderr}`)
  return JSON.parse(stdout)
}

// What a breaker adds to a call without one, in nanoseconds.
function overheadOf(name: string): number {
  const perCall = (of: string): number =>
    closed.measured.find((each) => each.name === of)?.nsPerCall.median ?? Number.NaN
  return perCall(name) - perCall('no breaker')
}

const overSampling = 1 / ratioOf(closed, 'cockatiel, sampling')
const overheadOverSampling = overheadOf('ours') / overheadOf('cockatiel, sampling')
const overheadOfOpossum = overheadOf('opossum, defaults') / overheadOf('ours')
const verdicts: Verdict[] = [
  atMost('11', 'whole call over cockatiel, sampling', overSampling, 1.2, ' times'),
  atLeast('11', 'whole call of opossum, defaults, over ours', ratioOf(closed, 'opossum, defaults'), 4),
  atLeast('12', 'cockatiel, wrap, over breaker, time limit, bulkhead', ratioOf(whole, 'cockatiel, wrap'), 20),
  atLeast('13', 'refusal of cockatiel over ours', ratioOf(open, 'cockatiel'), 2),
  atLeast('13', 'refusal of opossum over ours', ratioOf(open, 'opossum'), 2),
]

// The targets are of whole calls, as the specification's table is; what they add to a bare one stands beside them.
verdicts.push(
  [
    '11',
    'added to a bare call, over cockatiel, sampling',
    `${overheadOverSampling.toFixed(2)} times`,
    '',
    '',
  ],
  ['11', 'added to a bare call by opossum, over ours', `${overheadOfOpossum.toFixed(2)} times`, '', ''],
)

for (const { subject: name, of1000, of8000 } of await failingCosts(9)) {
  const what = `failing call, n=8000 over n=1000, ${name} (${of1000.toFixed(0)} ns)`
  const growth = of8000 / of1000
  verdicts.push(
    name === 'ours'
      ? atMost('14', what, growth, 1.2, ' times')
      : ['14', what, `${growth.toFixed(2)} times`, '', ''],
  )
}

const idle = footprint('idle', 'ours', '10000')
verdicts.push(
  atMost('15', 'timers of 10,000 idle breakers', idle['timers'] ?? Number.NaN, 0, ''),
  atMost('15', 'memory of each', (idle['bytesEach'] ?? Number.NaN) / 1024, 2, ' KiB'),
  atMost('15', 'processor time of all of them', idle['cpuPercent'] ?? Number.NaN, 0.5, ' %'),
)
for (const peer of ['cockatiel', 'opossum']) {
  const { timers, bytesEach = 0, cpuPercent } = footprint('idle', peer, '1000')
  const measured = `${timers} timers, ${(bytesEach / 1024).toFixed(2)} KiB each, ${cpuPercent?.toFixed(2)} %`
  verdicts.push(['15', `1,000 idle breakers of ${peer}`, measured, '', ''])
}
const grown = (footprint('flat', 'ours', '10000000')['grownBytes'] ?? Number.NaN) / 2 ** 20
verdicts.push(atMost('16', 'heap after 10,000,000 calls more', grown, 5, ' MiB'))

const rates = await httpRates(5, 1000)
const bare = rates.find(({ subject: name }) => name === 'no breaker')?.perSecond ?? Number.NaN
for (const { subject: name, perSecond } of rates) {
  const share = `${((perSecond / bare) * 100).toFixed(1)} %`
  verdicts.push(['HTTP', `undici, 64 at once, ${name}`, `${perSecond.toFixed(0)}/s, ${share}`, '', ''])
}
for (const cost of otherRuntimes()) {
  verdicts.push(
    typeof cost === 'string'
      ? ['context', cost, 'not measured', '', '']
      : [
          'context',
          `${cost.subject}: let through, refused`,
          `${cost.closed.toFixed(0)} ns, ${cost.open.toFixed(0)} ns`,
          '',
          '',
        ],
  )
}
for (const row of verdicts) console.log(row.join('  '))

const tables = results.map(tableOf)
recordEvidence(packageFolder, 'bench', {
  command,
  versions,
  columns: ['work', ...(tables[0]?.columns ?? [])],
  rows: tables.flatMap(({ rows }, at) => rows.map((row) => [results[at]?.work ?? '', ...row])),
  notes: [
    'Each call is awaited; the work is a promise that is already settled. Ours always keeps the latency histogram, and on the closed path a bulkhead too; cockatiel, sampling, and mollitia keep neither. opossum and brakes by default keep a time limit and percentiles.',
  ],
})
recordEvidence(packageFolder, 'targets', {
  command,
  versions,
  columns: ['item', 'what', 'measured', 'target', 'met'],
  rows: verdicts.map((row) => [...row]),
  notes: [
    'Items of section 10 of the specification. HTTP: requests a second to a local server in a process of its own, and their share of those without a breaker. Context: breakers of other languages, whose calls are synchronous, timed by means of their own.',
  ],
})
