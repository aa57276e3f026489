import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../workspace.ts'

interface Check {
  readonly what: string
  readonly command: readonly string[]
}

/** In the order in which they run: what is quick and often wrong comes first. */
const checks: Readonly<Record<string, Check>> = {
  types: { what: 'types of the whole workspace', command: ['tsc', '-p', 'tsconfig.json'] },
  lint: { what: 'lint, with types', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  format: { what: 'format and order of imports', command: ['biome', 'check', '--error-on-warnings'] },
  unused: { what: 'unused files, exports and dependencies', command: ['knip', '--no-config-hints'] },
  tidy: { what: 'house rules', command: ['vitest', 'run', '--project', 'tooling', 'tidy'] },
  readme: {
    what: 'code blocks of the READMEs',
    command: ['vitest', 'run', '--project', 'tooling', 'readme'],
  },
  evidence: {
    what: 'tables of the READMEs against evidence.json',
    command: ['node', 'tooling/commands/evidence.ts'],
  },
  build: { what: 'build', command: ['turbo', 'run', 'build', '--output-logs=errors-only'] },
  api: { what: 'public surface against api/', command: ['node', 'tooling/commands/api.ts', '--check'] },
  packages: { what: 'publint and are-the-types-wrong', command: ['node', 'tooling/package-checks.ts'] },
}

const usage = [
  'usage: pnpm check [name…]',
  'Everything a change must pass besides the tests; all of it, or the parts that are named:',
  ...Object.entries(checks).map(([name, { what }]) => `  ${name.padEnd(9)} ${what}`),
].join('\n')

const argv = process.argv.slice(2)
const unknown = argv.find((name) => !Object.hasOwn(checks, name))
if (argv.includes('--help') || argv.includes('-h')) {
  console.log(usage)
} else if (unknown !== undefined) {
  console.error(`check: there is no check '${unknown}'\n\n${usage}`)
  process.exitCode = 2
} else {
  await runAll(Object.entries(checks).filter(([name]) => argv.length === 0 || argv.includes(name)))
}

async function runAll(chosen: readonly (readonly [string, Check])[]): Promise<void> {
  let failed = 0
  for (const [name, { what, command }] of chosen) {
    const started = performance.now()
    const { status, output } = await quietly(command)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(9)} ${what} (${seconds} s)`)
    if (status === 0) continue
    failed++
    console.log(output.trimEnd().replaceAll(/^/gm, '    '))
  }
  const tally = process.env['LOADBEARING_TALLY']
  if (tally !== undefined) {
    writeFileSync(
      join(tally, 'check.json'),
      JSON.stringify({ passed: chosen.length - failed, failed, skipped: 0 }),
    )
  }
  if (failed > 0) process.exitCode = 1
}

function quietly([program = '', ...args]: readonly string[]): Promise<{ status: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk: string) => {
      output = (output + chunk).slice(-200_000)
    }
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    child.once('error', (error) => resolve({ status: 1, output: String(error) }))
    child.once('close', (code) => resolve({ status: code ?? 1, output }))
  })
}
