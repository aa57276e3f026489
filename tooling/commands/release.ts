import { run } from '../front-end.ts'
import { root } from '../workspace.ts'

const steps: Readonly<Record<string, { what: string; commands: readonly (readonly string[])[] }>> = {
  status: {
    what: 'which packages the waiting changesets would release',
    commands: [['changeset', 'status', '--verbose']],
  },
  version: {
    what: 'turn the waiting changesets into versions and changelogs, for a commit to review',
    commands: [
      ['changeset', 'version'],
      ['pnpm', 'install', '--lockfile-only'],
    ],
  },
  publish: {
    what: 'test, check and pack everything, then publish what has a new version',
    commands: [
      ['pnpm', 'test'],
      ['pnpm', 'check'],
      ['pnpm', 'pack-test'],
      ['changeset', 'publish'],
    ],
  },
}

const usage = [
  'usage: pnpm release <step>',
  ...Object.entries(steps).map(([name, { what }]) => `  ${name.padEnd(8)} ${what}`),
].join('\n')

const [step = '', ...rest] = process.argv.slice(2)
if (step === '--help' || step === '-h') {
  console.log(usage)
} else if (!Object.hasOwn(steps, step) || rest.length > 0) {
  console.error(
    `release: ${step === '' ? 'name a step' : `there is no step '${[step, ...rest].join(' ')}'`}\n\n${usage}`,
  )
  process.exitCode = 2
} else {
  for (const [program = '', ...args] of steps[step]?.commands ?? []) {
    const status = await run(program, args, { cwd: root })
    if (status === 0) continue
    process.exitCode = status
    break
  }
}
