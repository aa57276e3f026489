// Asks the classes of concurrency-limits in the JVM for limits, and keeps them as cases of the conformance port.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { limitCase } from './arbitraries.ts'
import { startJavaPeer } from './java-peer.ts'

const seed = 24
const perKind = 5
const fewestSamples = 40

const peer = await startJavaPeer()
if ('missing' in peer) {
  console.error(`no cases are recorded: ${peer.missing}`)
  process.exitCode = 1
} else {
  await using theirs = peer
  const drawn = fc
    .sample(limitCase, { seed, numRuns: 200 })
    .filter(({ samples }) => samples.length >= fewestSamples)
  const lines: string[] = []
  for (const kind of ['aimd', 'gradient2', 'vegas'] as const) {
    for (const [at, each] of drawn
      .filter((one) => one.kind === kind)
      .slice(0, perKind)
      .entries()) {
      const id = `${kind}-${at + 1}`
      const answer = await theirs.ask(each)
      const source = 'com.netflix.concurrency-limits:concurrency-limits-core:0.5.3, asked in the JVM'
      const what = `${each.samples.length} drawn samples`
      lines.push(JSON.stringify({ id, what, ...each, expect: { ok: answer }, source, licence: 'Apache-2.0' }))
    }
  }
  const file = join(import.meta.dirname, '../conformance/cases/concurrency-limits.jsonl')
  writeFileSync(file, `${lines.join('\n')}\n`)
  console.log(`${lines.length} cases, seed ${seed}`)
}
