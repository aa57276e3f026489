import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkEvidence, readEvidence, renderEvidence } from '../evidence.ts'
import { packages, root } from '../workspace.ts'

const usage = `usage: pnpm evidence [--write]
Says where the tables of the READMEs and the packages' evidence.json disagree; --write renders the tables anew.`

const argv = process.argv.slice(2)
const homes = [root, ...packages().map(({ home }) => home)]
if (argv.includes('--help') || argv.includes('-h')) {
  console.log(usage)
} else if (argv.some((argument) => argument !== '--write')) {
  console.error(usage)
  process.exitCode = 2
} else {
  if (argv.includes('--write')) {
    for (const home of homes) {
      const path = join(home, 'README.md')
      writeFileSync(path, renderEvidence(readFileSync(path, 'utf8'), readEvidence(home)))
    }
  }
  const complaints = homes.flatMap((home) => checkEvidence(home))
  for (const complaint of complaints) console.error(complaint)
  process.exitCode = complaints.length === 0 ? 0 : 1
}
