import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { suiteFolder } from './cockatiel-suite-folder.ts'

interface Test {
  readonly fullTitle: string
  readonly err: { readonly message?: string }
}

interface Report {
  readonly tests: readonly Test[]
  readonly passes: readonly Test[]
  readonly failures: readonly Test[]
}

const suiteTimeout = 120_000
const here = import.meta.dirname
const needed = ['mocha', 'chai', 'chai-as-promised', 'sinon', 'sinon-chai', 'typescript']

/**
 * Runs cockatiel's own suite (src/ of its repository, with its dev dependencies installed) unchanged against our face,
 * where the environment variable COCKATIEL_SUITE names a checkout; says so where it does not. Sets the exit code where a
 * test fails that cockatiel-skips.json does not explain, or passes that it says fails.
 */
export async function cockatielSuite(): Promise<void> {
  const missing = missingOf()
  if (missing !== undefined) {
    console.log(`SKIPPED the suite of cockatiel: ${missing}`)
    return
  }
  const original = await runMocha(suiteFolder(), 'original')
  if (original.tests.length === 0)
    throw new Error('COCKATIEL_SUITE has no tests that run against cockatiel itself')
  const { tests, passes, failures } = await runMocha(suiteFolder(), 'ours')
  const skips: Readonly<Record<string, string>> = JSON.parse(
    readFileSync(join(here, 'cockatiel-skips.json'), 'utf8'),
  )
  const unexplained = failures.filter(({ fullTitle }) => !Object.hasOwn(skips, fullTitle))
  const stale = Object.keys(skips).filter((title) => failures.every(({ fullTitle }) => fullTitle !== title))
  const skipped = failures.length - unexplained.length
  for (const { fullTitle, err } of unexplained) console.log(`FAILED ${fullTitle}: ${err.message}`)
  for (const title of stale) console.log(`NOT NEEDED in cockatiel-skips.json, it passes: ${title}`)
  if (tests.length === 0 || unexplained.length > 0 || stale.length > 0) process.exitCode = 1
  const rows = [
    ['this package', tests.length, passes.length, skipped, unexplained.length],
    ['cockatiel 4.0.0', original.tests.length, original.passes.length, 0, original.failures.length],
  ]
  for (const [subject, all, right, left, wrong] of rows)
    console.log(`suite of cockatiel, ${subject}: ${right} of ${all} tests, ${left} skipped, ${wrong} failed`)
  recordEvidence(new URL('../..', import.meta.url), 'cockatiel-suite', {
    command: 'COCKATIEL_SUITE=<checkout> pnpm differential hystrix-breaker',
    versions: { cockatiel: '4.0.0', mocha: versionOf('mocha') },
    columns: ['Subject', 'Tests', 'Passed', 'Skipped', 'Failed'],
    rows,
    notes: [
      'Tests of what cockatiel does not export run against our counterpart of it, where there is one, put into their form by test/compat/cockatiel-face.ts.',
      ...Object.entries(skips).map(([title, reason]) => `Skipped “${title}”: ${reason}.`),
    ],
  })
}

function missingOf(): string | undefined {
  if (process.env['COCKATIEL_SUITE'] === undefined)
    return 'COCKATIEL_SUITE is not set; it names a checkout of cockatiel with its dev dependencies installed'
  const folder = suiteFolder()
  if (!existsSync(join(folder, 'src/Policy.test.ts'))) return 'COCKATIEL_SUITE has no src/Policy.test.ts'
  const absent = needed.filter((name) => !existsSync(join(folder, 'node_modules', name)))
  return absent.length === 0 ? undefined : `not installed in COCKATIEL_SUITE: ${absent.join(', ')}`
}

async function runMocha(folder: string, subject: 'ours' | 'original'): Promise<Report> {
  const results = mkdtempSync(join(tmpdir(), 'cockatiel-suite-'))
  const output = join(results, 'report.json')
  const child = spawn(
    process.execPath,
    [
      '--import',
      join(here, 'cockatiel-loader.ts'),
      join(folder, 'node_modules/mocha/bin/mocha.js'),
      '--no-config',
      '--no-package',
      '--timeout=10s',
      `--require=${join(here, 'cockatiel-chai.ts')}`,
      '--reporter=json',
      `--reporter-option=output=${output}`,
      'src/**/*.test.ts',
    ],
    {
      cwd: folder,
      env: { ...process.env, COCKATIEL_SUBJECT: subject },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: suiteTimeout,
      killSignal: 'SIGKILL',
    },
  )
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  try {
    await new Promise((settle) => child.on('close', settle))
    if (!existsSync(output)) throw new Error(`the suite of cockatiel did not come to its end\n${errors}`)
    return JSON.parse(readFileSync(output, 'utf8'))
  } finally {
    rmSync(results, { recursive: true, force: true })
  }
}

function versionOf(name: string): string {
  const { version } = createRequire(join(suiteFolder(), 'package.json'))(`${name}/package.json`)
  return String(version)
}
