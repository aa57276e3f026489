import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { compiledOnce, run } from '../front-end.ts'
import { packages, root } from '../workspace.ts'

const usage = `usage: pnpm test [package…] [vitest option…]
Checks the types of the whole workspace, then runs the tests of all packages, or of those named.
PROPERTY_SEED=n gives the property tests another seed, PROPERTY_SEED=random each time a fresh one;
LOADBEARING_SEED=n replays a simulation; LOADBEARING_TALLY=folder leaves the counts there.`

const argv = process.argv.slice(2)
const known = new Set([...packages().map(({ folder }) => folder), 'tooling'])
const options = argv.findIndex((argument) => argument.startsWith('-'))
const named = options === -1 ? argv : argv.slice(0, options)
const unknown = named.find((name) => !known.has(name))

if (argv.includes('--help') || argv.includes('-h')) {
  console.log(usage)
} else if (unknown !== undefined) {
  console.error(`test: no package '${unknown}'; there are ${[...known].join(', ')}\n\n${usage}`)
  process.exitCode = 2
} else {
  process.exitCode =
    (await run(bin('tsc'), ['-p', join(root, 'tsconfig.json')])) ||
    (await run(bin('vitest'), vitestArguments(), { env: compiledOnce() }))
}

function vitestArguments(): string[] {
  const tally = process.env['LOADBEARING_TALLY']
  return [
    'run',
    '--root',
    root,
    ...named.flatMap((name) => ['--project', name]),
    ...(tally === undefined
      ? []
      : ['--reporter=default', '--reporter=json', `--outputFile.json=${join(tally, 'vitest.json')}`]),
    ...argv.slice(named.length),
  ]
}

function bin(name: string): string {
  const path = join(root, 'node_modules/.bin', name)
  if (!existsSync(path)) throw new Error(`${name} is not installed: run \`npx pnpm@12 install\` first`)
  return path
}
