import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { nodeFlags, run } from '../front-end.ts'
import { packages, root } from '../workspace.ts'

/** The files that measure, in the order in which they run; benchmarks last, when nothing else is running. */
const measures = ['test/differential/main.ts', 'test/faults/main.ts', 'bench/main.ts'] as const

const usage = `usage: pnpm prove [package]
Runs everything again that writes evidence (differential runs, fault campaigns, benchmarks) and renders the tables of the READMEs from it.`

const argv = process.argv.slice(2)
const chosen = packages().filter(
  ({ folder, name }) => argv.length === 0 || folder === argv[0] || name === argv[0],
)
if (argv.includes('--help') || argv.includes('-h')) {
  console.log(usage)
} else if (argv.length > 1 || chosen.length === 0) {
  console.error(`prove: ${argv.length > 1 ? 'one package at most' : `no package '${argv[0]}'`}\n\n${usage}`)
  process.exitCode = 2
} else {
  const failed: string[] = []
  for (const { folder, home } of chosen) {
    for (const measure of measures.filter((file) => existsSync(join(home, file)))) {
      console.error(`\n── ${folder}: ${measure}`)
      const status = await run(process.execPath, [...nodeFlags, join(home, measure)])
      if (status !== 0) failed.push(`${folder}: ${measure} ended with ${status}`)
    }
  }
  if ((await run(process.execPath, [join(root, 'tooling/commands/evidence.ts')])) !== 0)
    failed.push('the READMEs disagree')
  for (const line of failed) console.error(line)
  process.exitCode = failed.length === 0 ? 0 : 1
}
