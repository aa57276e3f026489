import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startOracle } from '@loadbearing/harness/oracle'
import fc from 'fast-check'
import { answerOf } from './answers.ts'
import { findHydra } from './python.ts'
import { storeCase } from './store-cases.ts'
import { typedCase } from './typed-cases.ts'

/** Writes the recorded cases of structured configs anew, with the answers of the running OmegaConf. */
const hydra = findHydra()
if ('missing' in hydra) throw new Error(hydra.missing)
await using oracle = startOracle({
  command: hydra.python,
  args: [join(import.meta.dirname, 'oracle.py')],
  timeout: '60s',
})
const { hydraCore, omegaconf } = hydra
await record('typed', typedCase, `omegaconf ${omegaconf}`)
await record('stored', storeCase, `hydra-core ${hydraCore}, omegaconf ${omegaconf}`)

async function record<Case extends object>(
  op: 'typed' | 'stored',
  cases: fc.Arbitrary<Case>,
  source: string,
): Promise<void> {
  const lines: string[] = []
  for (const input of fc.sample(cases, { seed: 20_261_121, numRuns: 300 })) {
    const expect = answerOf(await oracle.ask({ op, ...input }))
    lines.push(JSON.stringify({ ...input, expect, source }))
  }
  writeFileSync(join(import.meta.dirname, '..', 'schema', `${op}-cases.jsonl`), `${lines.join('\n')}\n`)
}
