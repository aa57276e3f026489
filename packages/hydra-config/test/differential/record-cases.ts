import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startOracle } from '@loadbearing/harness/oracle'
import fc from 'fast-check'
import { answerOf } from './answers.ts'
import { configCase, sweepCase } from './config-cases.ts'
import { overrideText } from './override-cases.ts'
import { findHydra } from './python.ts'
import { storeCase } from './store-cases.ts'
import { typedCase } from './typed-cases.ts'

/** Writes the recorded cases of the port, and those of structured configs, anew: with the answers of the running Hydra. */
const hydra = findHydra()
if ('missing' in hydra) throw new Error(hydra.missing)
await using oracle = startOracle({
  command: hydra.python,
  args: [join(import.meta.dirname, 'oracle.py')],
  timeout: '60s',
})
const { hydraCore, omegaconf } = hydra
const shown = { seed: 20_260_823, numRuns: 60 }
const texts = [
  'a=b=c',
  'a=~/x',
  'a=é',
  "a='é'",
  'k=range(0,1,0.1)',
  "a='x\\\\'",
  '',
  '=',
  'a=int(3.9)',
  'a={1:x,1.0:y}',
]
const forPort = {
  override: [...texts, ...fc.sample(overrideText, { ...shown, numRuns: 300 })]
    .filter((text) => !text.includes('shuffle'))
    .map((text) => ({ text })),
  defaults: fc.sample(configCase, shown),
  compose: fc.sample(configCase, { ...shown, seed: 7 }),
  sweep: [
    { ...fc.sample(sweepCase, 1)[0], overrides: ['k=1,2', 'db=a,b'] },
    { ...fc.sample(sweepCase, 1)[0], overrides: ['k=range(0,1,0.1)'] },
    ...fc.sample(sweepCase, shown),
  ],
}
for (const [op, inputs] of Object.entries(forPort)) {
  const commands = inputs.map((input, index) => ({ id: `${op}-${index + 1}`, op, ...input }))
  await record(
    join('conformance', 'cases', `${op}.jsonl`),
    op,
    commands,
    `hydra-core and omegaconf ${hydraCore} ${omegaconf}`,
  )
}
const structured = { seed: 20_261_121, numRuns: 300 }
await record(
  join('schema', 'typed-cases.jsonl'),
  'typed',
  fc.sample(typedCase, structured),
  `omegaconf ${omegaconf}`,
)
await record(
  join('schema', 'stored-cases.jsonl'),
  'stored',
  fc.sample(storeCase, structured),
  `hydra-core ${hydraCore}, omegaconf ${omegaconf}`,
)

async function record(path: string, op: string, cases: readonly object[], source: string): Promise<void> {
  const lines: string[] = []
  for (const given of cases) {
    const expect = answerOf(await oracle.ask({ op, ...given }))
    lines.push(JSON.stringify({ ...given, expect, source }))
  }
  writeFileSync(join(import.meta.dirname, '..', path), `${lines.join('\n')}\n`)
}
