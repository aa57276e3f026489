// Asks the classes of concurrency-limits in the JVM for limits, and keeps them as cases of the conformance port.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { type LimitCase, limitCase } from './arbitraries.ts'
import { startJavaPeer } from './java-peer.ts'

const seed = 24
const perKind = 5
const fewestSamples = 40

// Drawn samples seldom use exactly half of the limit, from where on it may grow.
const sample = (rtt: number, inflight: number): LimitCase['samples'][number] => ({
  at: 0,
  rtt,
  inflight,
  dropped: false,
})
const halfUsed = [sample(10, 10), sample(11, 9), sample(11, 10), sample(11, 10)]
const edges: Record<LimitCase['kind'], LimitCase['options']> = {
  aimd: { initialLimit: 20, minLimit: 1, maxLimit: 200 },
  gradient2: { initialLimit: 20, minLimit: 1, smoothing: 1 },
  vegas: { initialLimit: 20 },
}

const peer = startJavaPeer()
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
    const chosen = drawn.filter((one) => one.kind === kind).slice(0, perKind)
    const cases = chosen.map((each) => ({ what: `${each.samples.length} drawn samples`, each }))
    const edge: LimitCase = { op: 'limit', kind, options: edges[kind], samples: halfUsed }
    for (const [at, { what, each }] of [...cases, { what: 'half of the limit used', each: edge }].entries()) {
      const id = `${kind}-${at + 1}`
      const answer = await theirs.ask(each)
      const source = 'com.netflix.concurrency-limits:concurrency-limits-core:0.5.3, asked in the JVM'
      lines.push(JSON.stringify({ id, what, ...each, expect: { ok: answer }, source, licence: 'Apache-2.0' }))
    }
  }
  const file = join(import.meta.dirname, '../conformance/cases/concurrency-limits.jsonl')
  writeFileSync(file, `${lines.join('\n')}\n`)
  console.log(`${lines.length} cases, seed ${seed}`)
}
