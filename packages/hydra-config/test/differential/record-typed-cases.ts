import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startOracle } from '@loadbearing/harness/oracle'
import fc from 'fast-check'
import { answerOf } from './answers.ts'
import { findHydra } from './python.ts'
import { typedCase } from './typed-cases.ts'

/** Writes the recorded cases of structured configs anew, with the answers of the running OmegaConf. */
const hydra = findHydra()
if ('missing' in hydra) throw new Error(hydra.missing)
await using oracle = startOracle({
  command: hydra.python,
  args: [join(import.meta.dirname, 'oracle.py')],
  timeout: '60s',
})
const lines: string[] = []
for (const input of fc.sample(typedCase, { seed: 20_261_121, numRuns: 300 })) {
  const expect = answerOf(await oracle.ask({ op: 'typed', ...input }))
  lines.push(JSON.stringify({ ...input, expect, source: `omegaconf ${hydra.omegaconf}` }))
}
writeFileSync(join(import.meta.dirname, '..', 'schema', 'typed-cases.jsonl'), `${lines.join('\n')}\n`)
