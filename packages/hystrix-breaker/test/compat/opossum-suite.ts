import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { recordEvidence } from '@loadbearing/tooling/evidence'

type Subject = 'ours' | 'original'

interface Assertion {
  readonly file: string
  readonly test: string
  readonly assertion: string
  readonly ok: boolean
}

interface Skip {
  readonly file: string
  readonly test: string
  readonly assertion: string
  readonly reason: string
}

const fileTimeout = 60_000
const notToItsEnd = 'comes to its end'
const here = import.meta.dirname

/**
 * Runs the suite of opossum (test/*.js of its repository, with tape beside it) against our face and against opossum
 * itself, where the environment variable OPOSSUM_SUITE names a checkout; says so where it does not. Sets the exit code
 * where an assertion fails that opossum-skips.json does not explain.
 */
export async function opossumSuite(): Promise<void> {
  const suite = resolve(process.env['OPOSSUM_SUITE'] ?? '')
  const missing = missingOf(suite)
  if (missing !== undefined) {
    console.log(`SKIPPED the suite of opossum: ${missing}`)
    return
  }
  const tape: unknown = createRequire(join(suite, 'test/test.js'))('tape/package.json')
  const files = readdirSync(join(suite, 'test')).filter(
    (name) => name.endsWith('.js') && name !== 'common.js',
  )
  const original = await runFiles(suite, files, 'original')
  const unfinished = original.find(({ assertion }) => assertion === notToItsEnd)
  if (unfinished !== undefined)
    throw new Error(
      `${unfinished.file} does not run against opossum itself: see above, and whether OPOSSUM_SUITE has the package.json of its repository`,
    )
  const own = await runFiles(suite, files, 'ours')
  const skips = readSkips().filter(({ file }) => files.includes(file))
  const explained = (each: Assertion): boolean => skips.some((skip) => same(skip, each))
  const failed = own.filter(({ ok }) => !ok)
  const unexplained = failed.filter((each) => !explained(each))
  const stale = skips.filter((skip) => !failed.some((each) => same(skip, each)))
  for (const { file, test, assertion } of unexplained) console.log(`FAILED ${file}: ${test}: ${assertion}`)
  for (const { file, test, assertion } of stale)
    console.log(`NOT NEEDED in opossum-skips.json, it passes: ${file}: ${test}: ${assertion}`)
  if (unexplained.length > 0 || stale.length > 0) process.exitCode = 1
  const rows = [
    ['this package', own.length, passed(own), failed.length - unexplained.length, unexplained.length],
    ['opossum 10.0.0', original.length, passed(original), 0, original.length - passed(original)],
  ]
  for (const [subject, all, right, skipped, wrong] of rows)
    console.log(
      `suite of opossum, ${subject}: ${right} of ${all} assertions, ${skipped} skipped, ${wrong} failed`,
    )
  recordEvidence(new URL('../..', import.meta.url), 'opossum-suite', {
    command: 'OPOSSUM_SUITE=<checkout> pnpm differential hystrix-breaker',
    versions: { opossum: '10.0.0', tape: versionOf(tape) },
    columns: ['Subject', 'Assertions', 'Passed', 'Skipped', 'Failed'],
    rows,
    notes: [
      `${files.length} files. What opossum 10.0.0 fails itself: ${tally(original.filter(({ ok }) => !ok))}.`,
      ...skips.map(({ file, test, reason }) => `${file}, “${test}”: ${reason}`),
    ],
  })
}

function missingOf(suite: string): string | undefined {
  if (process.env['OPOSSUM_SUITE'] === undefined)
    return 'OPOSSUM_SUITE is not set; it names a checkout of opossum with its test/ and tape installed'
  if (!existsSync(join(suite, 'test/test.js'))) return 'OPOSSUM_SUITE has no test/test.js'
  try {
    createRequire(join(suite, 'test/test.js')).resolve('tape')
    return undefined
  } catch {
    return 'tape is not installed in OPOSSUM_SUITE'
  }
}

// One after the other: the suite goes by real time.
async function runFiles(suite: string, files: readonly string[], subject: Subject): Promise<Assertion[]> {
  const all: Assertion[] = []
  for (const file of files) all.push(...(await runFile(suite, file, subject)))
  return all
}

async function runFile(suite: string, file: string, subject: Subject): Promise<Assertion[]> {
  const args = ['--conditions=@loadbearing/source', '--import', join(here, 'opossum-loader.ts')]
  const child = spawn(process.execPath, [...args, join(suite, 'test', file)], {
    env: { ...process.env, OPOSSUM_SUITE: suite, OPOSSUM_SUBJECT: subject },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: fileTimeout,
    killSignal: 'SIGKILL',
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  await new Promise((settle) => child.on('close', settle))
  const assertions = readTap(output, file)
  if (/^1\.\.\d+$/m.test(output)) return assertions
  console.log(`${file} against ${subject} did not come to its end\n${errors}`)
  return [...assertions, { file, test: '', assertion: notToItsEnd, ok: false }]
}

function readTap(output: string, file: string): Assertion[] {
  const assertions: Assertion[] = []
  let test = ''
  for (const line of output.split('\n')) {
    const [, not, assertion = ''] = /^(not )?ok \d+ ?(.*)$/.exec(line) ?? []
    if (line.startsWith('# ')) test = line.slice(2)
    else if (/^(?:not )?ok \d/.test(line)) assertions.push({ file, test, assertion, ok: not === undefined })
  }
  return assertions
}

function tally(assertions: readonly Assertion[]): string {
  const byFile = Map.groupBy(assertions, ({ file }) => file)
  const texts = [...byFile].map(([file, { length }]) => `${length} of ${file}`)
  return texts.length === 0 ? 'nothing' : texts.join(', ')
}

function passed(assertions: readonly Assertion[]): number {
  return assertions.filter(({ ok }) => ok).length
}

function same(skip: Skip, { file, test, assertion }: Assertion): boolean {
  return skip.file === file && skip.test === test && skip.assertion === assertion
}

function readSkips(): Skip[] {
  const skips: unknown = JSON.parse(readFileSync(join(here, 'opossum-skips.json'), 'utf8'))
  if (Array.isArray(skips) && skips.every(isSkip)) return skips
  throw new Error('opossum-skips.json: each entry needs file, test, assertion and reason, all texts')
}

function isSkip(entry: unknown): entry is Skip {
  const text = (name: string): boolean => typeof Reflect.get(Object(entry), name) === 'string'
  return ['file', 'test', 'assertion', 'reason'].every(text)
}

function versionOf(manifest: unknown): string {
  return String(Reflect.get(Object(manifest), 'version'))
}
