import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type ComparisonResult, compare, formatTable, type Subject } from '@loadbearing/harness/bench'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { startOpenFga } from '../test/openfga.ts'
import { spiceDbProgram } from './spicedb.ts'
import { isRow, isTarget, type Row, type Target, tell } from './target.ts'
import { lists, workload, workloads } from './workloads.ts'

const command = 'pnpm bench zanzibar'
const parts = ['process', 'http', 'trips', 'memory', 'wide', 'patterns', 'install'] as const
const usage = `usage: ${command} [--only PART]
Checks in the process and over SQLite, beside casbin; over HTTP on memory, SQLite and PostgreSQL, beside OpenFGA on the same
and SpiceDB (on PATH, or by OPENFGA=<program> and SPICEDB=<program>);
then round trips to PostgreSQL, bytes a tuple and checks at a million tuples, a group of a million groups, in memory and on
PostgreSQL, a pattern that leads back, and what is installed. About 18 minutes.
  --only PART  one of them, which records nothing: ${parts.join(', ')}`
const file = (name: string): URL => new URL(name, import.meta.url)
const peerVersions = Object.fromEntries(
  ['casbin', '@openfga/sdk', '@authzed/authzed-node'].map((name) => [name, versionOf(name)]),
)

const given = process.argv.slice(2)
const only = given[0] === '--only' && given.length === 2 ? parts.find((part) => part === given[1]) : undefined
if (given.length > 0 && only === undefined) {
  console.log(usage)
  process.exit(given.every((argument) => argument === '--help' || argument === '-h') ? 0 : 2)
}
const isAsked = (part: (typeof parts)[number]): boolean => only === undefined || only === part
const openFga = await startOpenFga()
const missing = 'missing' in openFga ? openFga.missing : undefined
if (!('missing' in openFga)) await openFga[Symbol.asyncDispose]()
const hasSpiceDb = spiceDbProgram() !== undefined
// Where a server is not there, what was published of it stands for it: on other machines, of other data, not measured here.
const absent = [
  ...(missing === undefined
    ? []
    : [
        `OpenFGA was not compared: ${missing}. It publishes no such figures; of its models compiled into PostgreSQL, Melange publishes 155 to 400 µs a direct check (Apple M2 Pro, PostgreSQL 16).`,
      ]),
  ...(hasSpiceDb
    ? []
    : [
        'SpiceDB was not compared: no spicedb on PATH, and no SPICEDB in the environment. Published (authzed.com, 2023-07): 5.76 ms a check (p95) at a million checks a second.',
      ]),
]
for (const each of absent) console.log(`${each}\n`)

const rows: Row[] = []
const targets: Target[] = []
if (isAsked('process')) await compareInProcess()
// Processes of their own: what was left behind here is not counted.
if (isAsked('http')) await partOf('http.ts', [])
const versions = {
  ...peerVersions,
  ...(missing === undefined && { OpenFGA: '1.22.1' }),
  ...(hasSpiceDb && { SpiceDB: '1.56.0' }),
}
if (isAsked('trips')) await partOf('round-trips.ts', [])
if (isAsked('memory'))
  for (const shape of [0, 1, 2]) await partOf('memory-store.ts', ['1000000', String(shape)], ['--expose-gc'])
if (isAsked('wide'))
  for (const store of ['memory', 'postgres']) await partOf('wide-group.ts', ['1000000', store])
if (isAsked('patterns')) await partOf('backtracking.ts', [])
if (isAsked('install')) await partOf('install.ts', [])
if (only === undefined) record()

function record(): void {
  recordEvidence(file('..'), 'bench', {
    command,
    versions,
    columns: ['workload', 'subject', 'µs a question (p50)', 'p99', 'times the first'],
    rows,
    notes: [
      ...absent,
      'As a server: one client, one question after another, of all of them in turn; ours and OpenFGA through the client of OpenFGA, SpiceDB through its own, which speaks gRPC; bare node:http is a server that gives always the same answer, asked by the client of OpenFGA: what HTTP and that client take alone; p99 is of 150 to 1000 questions of each.',
      'In the process: the median of nine rounds of many questions, of which no p99 is to be had.',
      'Answers are compared before anything is timed.',
    ],
  })
  recordEvidence(file('..'), 'bench-targets', {
    command,
    versions,
    columns: ['item', 'what', 'wanted', 'measured', ''],
    rows: targets.map(({ item, what, wanted, measured, isMet }) => [
      item,
      what,
      wanted,
      measured,
      isMet ? 'met' : 'NOT MET',
    ]),
    notes: ['Items are those of section 10 of the specification.'],
  })
}

/** What needs no server. */
async function compareInProcess(): Promise<void> {
  const indexed = subject('closure index', 'memoryIndexed')
  const inProcess = [
    subject('in the process', 'memory'),
    indexed,
    subject('as a promise', 'memoryAsync'),
    subject('SQLite', 'sqlite'),
  ]
  for (const name of Object.keys(workloads)) {
    const local = await measure(name, inProcess)
    if (name !== 'groups nested 24 deep') continue
    const took = microseconds(local, 'closure index')
    add(19, `${name}, closure index`, '<= 10 µs', `${took.toFixed(2)} µs`, took <= 10)
  }
  for (const name of Object.keys(lists))
    await measure(name, [subject('in the process', 'memory'), subject('SQLite', 'sqlite')])
  const flat = await measure('groups nested 2 deep', [indexed])
  const deep = await measure('groups nested 1000 deep', [indexed])
  const deeper = microseconds(deep, 'closure index') / microseconds(flat, 'closure index')
  add(
    19,
    '1000 deep beside one group, closure index',
    '<= 5 times',
    `${deeper.toFixed(2)} times`,
    deeper <= 5,
  )
  const rules = 'roles, 100,000 rules'
  const roles = await measure(rules, [subject('in the process', 'memory'), subject('casbin', 'casbin')])
  const casbin = microseconds(roles, 'casbin') / microseconds(roles, 'in the process')
  add(22, `casbin beside ours, ${rules}`, '>= 20 times', `${casbin.toFixed(1)} times`, casbin >= 20)
}

function microseconds(result: ComparisonResult, name: string): number {
  return (result.measured.find((each) => each.name === name)?.nsPerCall.median ?? Number.NaN) / 1000
}

function add(item: number, what: string, wanted: string, measured: string, isMet: boolean): void {
  const target = { item, what, wanted, measured, isMet }
  targets.push(target)
  tell(target)
}

/** Runs another of these programs and keeps what it tells. */
async function partOf(
  name: string,
  args: readonly string[],
  execArgs: readonly string[] = [],
): Promise<void> {
  const child = fork(fileURLToPath(file(name)), args, { execArgv: [...process.execArgv, ...execArgs] })
  child.on('message', (message) => {
    if (isTarget(message)) targets.push(message)
    if (isRow(message)) rows.push(message)
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) process.exitCode = 1
}

function subject(name: string, exported: string): Subject {
  return { name, module: file('subjects.ts'), export: exported }
}

async function measure(name: string, subjects: readonly Subject[]): Promise<ComparisonResult> {
  const baseline = subjects[0]?.name ?? ''
  const cases = workload(name).questions
  const result = await compare({
    work: name,
    baseline,
    subjects,
    input: { name },
    cases,
    answers: 'equal',
    timeout: '3m',
    warmUp: 500,
    rounds: 9,
    roundTime: 50,
  })
  for (const { name: subjectName, nsPerCall, ratio } of result.measured)
    rows.push([name, subjectName, (nsPerCall.median / 1000).toFixed(2), '', ratio.median.toFixed(2)])
  console.log(`${name}\n${formatTable(result)}\n`)
  for (const { name: failed, error } of result.failed) console.log(`${failed}: ${error.message}\n`)
  return result
}

function versionOf(name: string): string {
  const manifest: unknown = JSON.parse(readFileSync(file(`../node_modules/${name}/package.json`), 'utf8'))
  return String(Reflect.get(Object(manifest), 'version'))
}
