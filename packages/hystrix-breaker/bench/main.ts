import {
  type ComparisonResult,
  compare,
  formatTable,
  type Subject,
  tableOf,
} from '@loadbearing/harness/bench'
import { recordEvidence } from '@loadbearing/tooling/evidence'

const module = new URL('./subjects.ts', import.meta.url)

const subject = (name: string, of: string): Subject => ({ name, module, export: of })

async function measure(work: string, subjects: readonly Subject[]): Promise<ComparisonResult> {
  const result = await compare({ work, baseline: 'ours', subjects, cases: [0], answers: 'equal' })
  console.log(`${formatTable(result)}\n`)
  return result
}

const results = [
  await measure('closed circuit', [
    subject('ours', 'ours'),
    subject('no breaker', 'bare'),
    subject('cockatiel, consecutive', 'cockatielConsecutive'),
    subject('cockatiel, sampling', 'cockatielSampling'),
    subject('opossum, defaults', 'opossum'),
  ]),
  await measure('closed circuit, time limit, bulkhead', [
    subject('ours', 'oursWhole'),
    subject('cockatiel, wrap', 'cockatielWrap'),
  ]),
  await measure('open circuit, refused and caught', [
    subject('ours', 'oursOpen'),
    subject('cockatiel', 'cockatielOpen'),
    subject('opossum', 'opossumOpen'),
  ]),
]
const tables = results.map(tableOf)
recordEvidence(new URL('..', import.meta.url), 'bench', {
  command: 'pnpm bench hystrix-breaker',
  versions: { cockatiel: '4.0.0', opossum: '10.0.0' },
  columns: ['work', ...(tables[0]?.columns ?? [])],
  rows: tables.flatMap(({ rows }, at) => rows.map((row) => [results[at]?.work ?? '', ...row])),
  notes: [
    'Each call is awaited; the work is a promise that is already settled. Ours has no latency histogram yet, which the specification asks for; opossum by default keeps a time limit and percentiles.',
  ],
})
