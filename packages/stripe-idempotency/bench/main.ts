import { readFileSync } from 'node:fs'
import {
  type ComparisonResult,
  compare,
  formatTable,
  type Subject,
  tableOf,
} from '@loadbearing/harness/bench'
import { postgres, redis, type Service } from '@loadbearing/harness/services'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { failuresOf, peers } from './correctness.ts'

/** A row of the table of targets: item of the specification's section 10, what was measured, whether it holds. */
type Verdict = readonly [item: string, what: string, measured: string, target: string, met: string]

const file = (name: string): URL => new URL(name, import.meta.url)
const packageFolder = file('..')
const command = 'pnpm bench stripe-idempotency'
const versions = {
  '@aws-lambda-powertools/idempotency': '2.35.0',
  '@node-idempotency/core': '1.0.11',
  'express-idempotency': '1.0.6',
  ioredis: versionOf('ioredis'),
  pg: versionOf('pg'),
}

function versionOf(name: string): string {
  const manifest: unknown = JSON.parse(readFileSync(file(`../node_modules/${name}/package.json`), 'utf8'))
  return String(Reflect.get(Object(manifest), 'version'))
}

function subject(name: string, exported: string, module = './memory-subjects.ts'): Subject {
  return { name, module: file(module), export: exported }
}

const results: ComparisonResult[] = []

async function measure(
  work: string,
  input: unknown,
  subjects: readonly Subject[],
  times: { readonly rounds?: number; readonly roundTime?: number } = {},
): Promise<ComparisonResult> {
  const baseline = subjects[0]?.name ?? ''
  const result = await compare({
    work,
    baseline,
    subjects,
    input,
    cases: [0],
    answers: 'equal',
    timeout: '3m',
    ...times,
  })
  results.push(result)
  console.log(`${work}\n${formatTable(result)}\n`)
  for (const { name, error } of result.failed) console.log(`${name}: ${error.message}\n`)
  return result
}

function of({ measured }: ComparisonResult, name: string): ComparisonResult['measured'][number] {
  const found = measured.find((each) => each.name === name)
  if (found === undefined) throw new Error(`${name} was not measured`)
  return found
}

function atLeast(item: string, what: string, value: number, target: number, unit: string): Verdict {
  return [
    item,
    what,
    `${value.toFixed(2)}${unit}`,
    `at least ${target}${unit}`,
    value >= target ? 'yes' : 'NO',
  ]
}

function atMost(item: string, what: string, value: number, target: number, unit: string): Verdict {
  return [
    item,
    what,
    `${value.toFixed(2)}${unit}`,
    `at most ${target}${unit}`,
    value <= target ? 'yes' : 'NO',
  ]
}

const verdicts: Verdict[] = []
const few = { keys: 1000 }
const first = await measure('memory, a new key', few, [
  subject('ours', 'oursFirst'),
  subject('ours, over HTTP', 'oursHttpFirst'),
  subject('@node-idempotency/core', 'nodeIdempotencyFirst'),
  subject('Powertools, cache layer', 'powertoolsFirst'),
  subject('express-idempotency', 'expressFirst'),
])
const replay = await measure('memory, a key that was answered', few, [
  subject('ours', 'oursReplay'),
  subject('ours, over HTTP', 'oursHttpReplay'),
  subject('@node-idempotency/core', 'nodeIdempotencyReplay'),
  subject('Powertools, cache layer', 'powertoolsReplay'),
  subject('express-idempotency', 'expressReplay'),
])
verdicts.push(
  atLeast(
    '23',
    'new key, @node-idempotency/core over ours',
    of(first, '@node-idempotency/core').ratio.median,
    2,
    ' times',
  ),
  atLeast(
    '23',
    'replay, @node-idempotency/core over ours',
    of(replay, '@node-idempotency/core').ratio.median,
    1.7,
    ' times',
  ),
  atMost('5', 'new key', of(first, 'ours').nsPerCall.median / 1000, 5, ' µs'),
  atMost('5', 'replay', of(replay, 'ours').nsPerCall.median / 1000, 2, ' µs'),
)

const many = 1_000_000
const grown = await measure('memory, a key that was answered, of so many', null, [
  subject('ours, 1,000 keys', 'oursReplayOfFew'),
  subject('ours, 1,000,000 keys', 'oursReplayOfMany'),
])
const grownFirst = await measure('memory, a new key, beside so many', null, [
  subject('ours, 1,000 keys', 'oursFirstOfFew'),
  subject('ours, 1,000,000 keys', 'oursFirstOfMany'),
])
const large = of(grown, 'ours, 1,000,000 keys')
verdicts.push(
  atMost('23', 'replay, 1,000,000 keys over 1,000', large.ratio.median, 1.3, ' times'),
  atMost(
    '23',
    'new key, 1,000,000 keys over 1,000',
    of(grownFirst, 'ours, 1,000,000 keys').ratio.median,
    1.3,
    ' times',
  ),
  // The answer of 254 bytes is kept as {"value":…}, with a byte before it.
  atMost(
    '5',
    'memory of a key, its answer left out',
    (large.heapBytes ?? Number.NaN) / many - 265,
    400,
    ' B',
  ),
)

const servers = './server-subjects.ts'
await withServer(postgres, async ({ url }) => {
  const paid = await measure(
    'PostgreSQL, 16 payments at once',
    { url, atOnce: 16 },
    [
      subject('ours, one transaction', 'postgresOurs', servers),
      subject('the payment alone', 'postgresBare', servers),
      subject('three commits', 'postgresThreeCommits', servers),
    ],
    { rounds: 15, roundTime: 200 },
  )
  verdicts.push(
    atLeast('24', 'throughput over three commits', of(paid, 'three commits').ratio.median, 1.7, ' times'),
    atLeast(
      '24',
      'throughput, share of the payment alone',
      of(paid, 'the payment alone').ratio.median * 100,
      85,
      ' %',
    ),
  )
})
await withServer(redis, async ({ url }) => {
  const claimed = await measure(
    'Redis, 64 requests at once',
    { url, atOnce: 64 },
    [
      subject('ours, claim and complete', 'redisFenced', servers),
      subject('ours, the whole run', 'redisOurs', servers),
      subject('SET NX and SET', 'redisNaive', servers),
    ],
    { rounds: 15, roundTime: 100 },
  )
  const share = of(claimed, 'SET NX and SET').ratio.median * 100
  verdicts.push(atLeast('24', 'fenced throughput, share of SET NX and SET', share, 90, ' %'))
})

async function withServer(
  start: () => Promise<Service>,
  work: (server: Service) => Promise<void>,
): Promise<void> {
  await using server = await start()
  await work(server)
}

const failures = await Promise.all(peers.map(async (peer) => [peer.name, await failuresOf(peer)] as const))
for (const [name, failed] of failures)
  console.log(`${name}: ${failed.length === 0 ? 'no failure' : failed.join('; ')}`)
for (const row of verdicts) console.log(row.join('  '))

const tables = results.map(tableOf)
recordEvidence(packageFolder, 'bench', {
  command,
  versions,
  columns: ['work', ...(tables[0]?.columns ?? [])],
  rows: tables.flatMap(({ rows }, at) => rows.map((row) => [results[at]?.work ?? '', ...row])),
  notes: [
    'A request and its answer are 222 and 254 bytes of JSON; the work itself does nothing. On servers a call is as many requests as are under way at once, each with a new key. PostgreSQL and Redis run on this machine, fsync on for each commit and each write.',
  ],
})
recordEvidence(packageFolder, 'bench-correctness', {
  command,
  versions,
  columns: ['what was measured', 'fails'],
  rows: failures.map(([name, failed]) => [name, failed.length === 0 ? 'nothing' : failed.join('; ')]),
  notes: ['On their stores in memory, as they were measured.'],
})
recordEvidence(packageFolder, 'targets', {
  command,
  versions,
  columns: ['item', 'what', 'measured', 'target', 'met'],
  rows: verdicts.map((row) => [...row]),
  notes: ['Items of section 10 of the specification; 5 is its section 5.'],
})
