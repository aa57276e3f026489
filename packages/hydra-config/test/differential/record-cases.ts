import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startOracle } from '@loadbearing/harness/oracle'
import fc from 'fast-check'
import { answerOf } from './answers.ts'
import { configCase, sweepCase } from './config-cases.ts'
import { overrideText } from './override-cases.ts'
import { findHydra } from './python.ts'

/** Writes the recorded cases of the port anew, with the answers of the running Hydra. */
const hydra = findHydra()
if ('missing' in hydra) throw new Error(hydra.missing)
await using oracle = startOracle({
  command: hydra.python,
  args: [join(import.meta.dirname, 'oracle.py')],
  timeout: '60s',
})
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
const cases = {
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
for (const [op, inputs] of Object.entries(cases)) {
  const lines: string[] = []
  for (const [index, input] of inputs.entries()) {
    const command = { id: `${op}-${index + 1}`, op, ...input }
    const expect = answerOf(await oracle.ask(command))
    lines.push(
      JSON.stringify({
        ...command,
        expect,
        source: `hydra-core and omegaconf ${hydra.hydraCore} ${hydra.omegaconf}`,
      }),
    )
  }
  writeFileSync(
    join(import.meta.dirname, '..', 'conformance', 'cases', `${op}.jsonl`),
    `${lines.join('\n')}\n`,
  )
}
