import { compare, formatTable, tableOf } from '@loadbearing/harness/bench'
import { recordEvidence } from '@loadbearing/tooling/evidence'

const result = await compare({
  work: 'parse eight overrides',
  baseline: 'hydra-config',
  subjects: [
    { name: 'hydra-config', module: new URL('./subjects.ts', import.meta.url), export: 'ours' },
    { name: 'a scan for the key alone', module: new URL('./subjects.ts', import.meta.url), export: 'scan' },
  ],
  cases: [0, 1, 2],
  answers: 'equal',
})
console.log(formatTable(result))

recordEvidence(new URL('..', import.meta.url), 'bench', {
  command: 'pnpm bench hydra-config',
  versions: {},
  ...tableOf(result),
})
