import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startOracle } from '@loadbearing/harness/oracle'
import fc from 'fast-check'
import type { CliCase } from './cli-case.ts'
import { cliCase, masked, theirCli } from './cli-cases.ts'
import { cliExamples } from './cli-examples.ts'
import { findHydra } from './python.ts'

/**
 * Records what the running Hydra answers to command lines: all of them, masked, for `test/cli/recorded.test.ts`, and for
 * the port those that need no mask and no environment.
 */
const hydra = findHydra()
if ('missing' in hydra) throw new Error(hydra.missing)
await using oracle = startOracle({
  command: hydra.python,
  args: [join(import.meta.dirname, 'oracle.py')],
  timeout: '60s',
})
const source = `hydra-core ${hydra.hydraCore}, omegaconf ${hydra.omegaconf}`
const cases: readonly CliCase[] = [...cliExamples, ...fc.sample(cliCase, { seed: 20_261_121, numRuns: 120 })]
const recorded: object[] = []
const forPort: object[] = []
for (const [index, input] of cases.entries()) {
  const answer = await oracle.ask({ op: 'cli', ...input })
  const { stdout, stderr, exit } = theirCli(answer)
  const expect = { stdout, exit }
  recorded.push({ id: `cli-${index + 1}`, ...input, expect: { stdout, stderr, exit }, source })
  if (Object.keys(input.environment).length > 0 || !isBare(answer)) continue
  const { files, argv } = input
  forPort.push({ id: `cli-${index + 1}`, op: 'cli', files, argv, expect: { ok: expect }, source })
}
write(join('cli', 'recorded.jsonl'), recorded)
write(join('conformance', 'cases', 'cli.jsonl'), forPort)

/** Whether the answer is the same wherever and whenever it is given. */
function isBare(answer: unknown): boolean {
  const { ok } = answer as { ok: { stdout: string } }
  return masked(ok.stdout) === ok.stdout && !ok.stdout.includes('/app')
}

function write(path: string, lines: readonly object[]): void {
  writeFileSync(
    join(import.meta.dirname, '..', path),
    `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`,
  )
}
