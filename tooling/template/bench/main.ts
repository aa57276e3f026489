import { compare, formatTable, tableOf } from '@loadbearing/harness/bench'
import { recordEvidence } from '@loadbearing/tooling/evidence'

const result = await compare({
  work: 'take a token',
  baseline: '__name__',
  subjects: [
    { name: '__name__', module: new URL('./subjects.ts', import.meta.url), export: 'ours' },
    { name: 'a plain counter', module: new URL('./subjects.ts', import.meta.url), export: 'counter' },
  ],
  cases: [0, 1, 2],
  answers: 'equal',
})
console.log(formatTable(result))

recordEvidence(new URL('..', import.meta.url), 'bench', {
  command: 'pnpm bench __name__',
  versions: {},
  ...tableOf(result),
})
