import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  type ComparisonResult,
  compare,
  formatTable,
  type Subject,
  tableOf,
} from '@loadbearing/harness/bench'
import { tcpProxy } from '@loadbearing/harness/faults'
import { postgres, redis, type Service, skipWithout, valkey } from '@loadbearing/harness/services'
import { memoryStore } from '@loadbearing/stripe-idempotency'
import { postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { redisStore } from '@loadbearing/stripe-idempotency/redis'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { failuresOf, peers } from './correctness.ts'
import { matrixColumns, matrixOf } from './matrix.ts'
import { counted, type WaitingPlace, waitingIn } from './waiting.ts'

/** A row of the table of targets: item of the specification's section 10, what was measured, whether it holds. */
type Verdict = readonly [item: string, what: string, measured: string, target: string, met: string]

const file = (name: string): URL => new URL(name, import.meta.url)
const packageFolder = file('..')
const command = 'pnpm bench stripe-idempotency'
const usage = `usage: ${command}
Keys in memory beside @node-idempotency/core, Powertools and express-idempotency, then on SQLite, and on a PostgreSQL and a
Redis of its own beside the bare transaction, three commits and SET NX, and on a Valkey where valkey-server is on PATH; what is
measured is recorded. About five minutes.`
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

if (process.argv.length > 2) {
  console.log(usage)
  process.exit(process.argv.slice(2).every((argument) => argument === '--help' || argument === '-h') ? 0 : 2)
}

const results: ComparisonResult[] = []

async function measure(
  work: string,
  input: unknown,
  subjects: readonly Subject[],
  times: { readonly roundTime?: number; readonly warmUp?: number } = {},
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
    // As a server that has been up for a while: compiled code is what is compared.
    warmUp: 2000,
    roundTime: 50,
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
    value >= target ? 'MET' : 'NOT MET',
  ]
}

function atMost(item: string, what: string, value: number, target: number, unit: string): Verdict {
  return [
    item,
    what,
    `${value.toFixed(2)}${unit}`,
    `at most ${target}${unit}`,
    value <= target ? 'MET' : 'NOT MET',
  ]
}

const verdicts: Verdict[] = []
const few = { keys: 1000 }
const first = await measure('memory, a new key', few, [
  subject('ours', 'oursFirst'),
  subject('ours, over HTTP', 'oursHttpFirst'),
  subject('hashes and JSON alone', 'hashesFirst'),
  subject('@node-idempotency/core', 'nodeIdempotencyFirst'),
  subject('Powertools, cache layer', 'powertoolsFirst'),
  subject('express-idempotency', 'expressFirst'),
])
const replay = await measure('memory, a key that was answered', few, [
  subject('ours', 'oursReplay'),
  subject('ours, over HTTP', 'oursHttpReplay'),
  subject('hashes and JSON alone', 'hashesReplay'),
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

const passed = await measure('memory, a request without a key', null, [
  subject('the handler alone', 'handlerAlone'),
  subject('ours', 'oursPass'),
])
verdicts.push(
  atMost(
    '5',
    'a request without a key, beside its handler alone',
    (of(passed, 'ours').nsPerCall.median - of(passed, 'the handler alone').nsPerCall.median) / 1000,
    0.2,
    ' µs',
  ),
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

async function measureWaiting(name: string, place: WaitingPlace, unit: string): Promise<void> {
  const { delay, asked } = await waitingIn(place)
  const last = `${name}, the last of 50 duplicates, after the end of a work of 1 s`
  verdicts.push(
    atMost('25', last, delay, 50, ' ms'),
    atMost('25', `${name}, what the 50 ask meanwhile`, asked, 0, unit),
  )
}

const inMemory = memoryStore()
await measureWaiting('memory', { holder: inMemory, ...counted(inMemory) }, ' calls')

const matrix = await matrixOf({ name: 'memory', settings: 'none', store: memoryStore() })
await withDatabase(async (database) => {
  const store = sqliteStore({ database })
  matrix.push(...(await matrixOf({ name: 'SQLite', settings: 'WAL, synchronous = FULL', store })))
})

const servers = './server-subjects.ts'
let postgresSettings = ''
await withServer(postgres, async ({ url }) => {
  const paid = await measure(
    'PostgreSQL, 16 clients, 8 payments each',
    { url, atOnce: 16, each: 8 },
    [
      subject('ours, one transaction', 'postgresOurs', servers),
      subject('our statements alone', 'postgresStatements', servers),
      subject('a key written with the commit', 'postgresKeyAlone', servers),
      subject('the payment alone', 'postgresBare', servers),
      subject('three commits', 'postgresThreeCommits', servers),
    ],
    // Of some thousand requests in a second it takes that long until all is compiled.
    { roundTime: 500, warmUp: 8000 },
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
  await using proxy = await tcpProxy({ target: url })
  const pool = new Pool({ connectionString: url, max: 16 })
  const poolOfWaiters = new Pool({ connectionString: proxy.url, max: 10 })
  // What it fails with is told by who asked.
  pool.on('error', () => {})
  poolOfWaiters.on('error', () => {})
  try {
    postgresSettings = await settingsOfPostgres(pool)
    const store = postgresStore({ pool })
    await store.migrate()
    await using waiters = postgresStore({ pool: poolOfWaiters })
    const asked = (): number => proxy.stats().upstream.received
    await measureWaiting('PostgreSQL', { holder: store, waiters, asked }, ' B')
    matrix.push(...(await matrixOf({ name: 'PostgreSQL', settings: postgresSettings, store })))
  } finally {
    await Promise.all([pool.end(), poolOfWaiters.end()])
  }
})
let redisSettings = ''
await withServer(redis, async ({ url }) => {
  await measureClaims(url)
  await using proxy = await tcpProxy({ target: url })
  const client = new Redis(url)
  const clientOfWaiters = new Redis(proxy.url)
  try {
    redisSettings = await settingsOfRedis(client)
    const store = await redisStore({ client })
    await using waiters = await redisStore({ client: clientOfWaiters })
    const asked = (): number => proxy.stats().upstream.received
    await measureWaiting('Redis', { holder: store, waiters, asked }, ' B')
    matrix.push(...(await matrixOf({ name: 'Redis', settings: redisSettings, store })))
  } finally {
    client.disconnect()
    clientOfWaiters.disconnect()
  }
})

if (skipWithout('valkey') === false) await withServer(valkey, ({ url }) => measureClaims(url))

async function measureClaims(url: string): Promise<void> {
  const name = await versionOfRedis(url)
  const claimed = await measure(
    `${name}, 64 clients, 16 requests each`,
    { url, atOnce: 64, each: 16 },
    [
      subject('ours, claim and complete', 'redisFenced', servers),
      subject('ours, the whole run', 'redisOurs', servers),
      subject('SET NX and a fenced SET alone', 'redisCommands', servers),
      subject('SET NX and SET', 'redisNaive', servers),
    ],
    { roundTime: 300 },
  )
  const share = of(claimed, 'SET NX and SET').ratio.median * 100
  verdicts.push(atLeast('24', `${name}, fenced throughput, share of SET NX and SET`, share, 90, ' %'))
}

async function versionOfRedis(url: string): Promise<string> {
  const client = new Redis(url)
  const info = await client.info('server')
  client.disconnect()
  const told = (name: string): string | undefined => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]
  const valkeyVersion = told('valkey_version')
  return valkeyVersion === undefined ? `Redis ${told('redis_version')}` : `Valkey ${valkeyVersion}`
}

async function withServer(
  start: () => Promise<Service>,
  work: (server: Service) => Promise<void>,
): Promise<void> {
  await using server = await start()
  await work(server)
}

async function withDatabase(work: (database: DatabaseSync) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'idempotency-bench-'))
  const database = new DatabaseSync(join(folder, 'records.sqlite'))
  try {
    await work(database)
  } finally {
    database.close()
    rmSync(folder, { recursive: true })
  }
}

async function settingsOfPostgres(pool: Pool): Promise<string> {
  const names = ['server_version', 'fsync', 'synchronous_commit', 'full_page_writes']
  const { rows } = await pool.query(
    `SELECT string_agg(name || ' = ' || setting, ', ' ORDER BY array_position($1::text[], name)) AS text
      FROM pg_settings WHERE name = ANY ($1)`,
    [names],
  )
  return String(rows[0]?.text)
}

async function settingsOfRedis(client: Redis): Promise<string> {
  const settings = await client.config('GET', 'append*')
  const found = Object.fromEntries(
    Array.isArray(settings)
      ? settings.flatMap((name, at) => (at % 2 === 0 ? [[name, settings[at + 1]]] : []))
      : [],
  )
  return `appendonly = ${found['appendonly']}, appendfsync = ${found['appendfsync']}`
}

const failures = await Promise.all(peers.map(async (peer) => [peer.name, await failuresOf(peer)] as const))
for (const [name, failed] of failures)
  console.log(`${name}: ${failed.length === 0 ? 'no failure' : failed.join('; ')}`)
for (const row of [matrixColumns, ...matrix]) console.log(row.join('  '))
for (const row of verdicts) console.log(row.join('  '))

const tables = results.map(tableOf)
recordEvidence(packageFolder, 'bench', {
  command,
  versions,
  columns: ['work', ...(tables[0]?.columns ?? [])],
  rows: tables.flatMap(({ rows }, at) => rows.map((row) => [results[at]?.work ?? '', ...row])),
  notes: [
    `A request and its answer are 222 and 254 bytes of JSON; the work itself does nothing. Each subject runs for two seconds before it is timed, on PostgreSQL for eight. On servers, which run on this machine over TCP, a call is so many clients at once, each making its requests one after the other, each with a new key. PostgreSQL: ${postgresSettings}. Redis and Valkey: ${redisSettings}. The three commits and the payment alone are on the same server and driver. What is called alone is no package: the hashes and the JSON, the statements, or the commands that ours comes to, with no guarantee: as fast as ours could be if it took no time itself; a key written with the commit is the least of any package: a row of two columns, of which a duplicate is told only by the commit that fails; on Redis each command is sent by itself, as by SET NX and SET, and ours with those of the same turn of the event loop.`,
    `Resident memory of the process with 1,000,000 keys, answers of 254 bytes: ${Math.round((large.rssBytes ?? Number.NaN) / 2 ** 20)} MiB.`,
  ],
})
recordEvidence(packageFolder, 'bench-matrix', {
  command,
  versions,
  columns: matrixColumns,
  rows: matrix,
  notes: [
    'The whole exchange of a request, without a socket: what is added to its handler alone, which answers at once with a body as large as that of the request, JSON. Slices of the handler and of the case in turns ABBA. Where 64 are at once each waits for the others.',
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
  notes: [
    'Items of section 10 of the specification; 5 is its section 5. Of 25: those who wait have a connection of their own to the server, through a proxy that counts what they send in the second half of the work, in 7 rounds together; their delay is the median of the rounds. A store in memory has no server: the calls of it are counted. That of SQLite has no way to tell who waits.',
  ],
})
