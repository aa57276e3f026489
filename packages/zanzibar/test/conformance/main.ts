import { parseArgs } from 'node:util'
import { skipWithout } from '@loadbearing/harness/services'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { missingVectors } from '../language/vectors.ts'
import { openTestStore, type StoreKind, storeKinds } from '../stores/open-test-store.ts'
import { runMatrix } from './matrix/run-matrix.ts'
import { findSource, type Matrix, openFgaVersion, readMatrix } from './matrix/tables.ts'
import { runSuite } from './suite.ts'

const usage = `usage: suites [--seed N] [--record]
Runs the tests of OpenFGA that are data, on every store: its YAML suites, as far as they are beside the repository, and the
tables of its Go tests, whose source comes from the Go module proxy or from the folder that OPENFGA_SOURCE names.
  --seed    the order in which tuples are written (default: 1)
  --record  records what came of it as evidence`

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const seed = Number(values.seed)
if (values.help || !Number.isSafeInteger(seed)) {
  console.log(usage)
  process.exitCode = values.help ? 0 : 2
} else await run()

type Row = [store: string, what: string, ...counts: number[]]

async function run(): Promise<void> {
  const source = findSource()
  if ('missing' in source) console.log(`SKIPPED: the tables of OpenFGA's Go tests, ${source.missing}`)
  const matrix = 'missing' in source ? undefined : readMatrix(source.folder)
  const kinds = storeKinds.filter((kind) => kind !== 'postgres' || !skipWithout('postgres'))
  const rows: Row[] = []
  for (const kind of kinds) {
    for (const closureIndex of [false, true]) rows.push(...(await runOn(kind, matrix, closureIndex)))
  }
  for (const row of rows) console.log(row.join(' | '))
  if (rows.some((row) => row.at(-1) !== 0)) process.exitCode = 1
  else if (values.record && rows.length === 4 * storeKinds.length) record(rows)
  else if (values.record) console.log('not all was run, and no evidence is recorded')
}

async function runOn(kind: StoreKind, matrix: Matrix | undefined, closureIndex: boolean): Promise<Row[]> {
  await using opened = await openTestStore(kind)
  const { store } = opened
  const rows: Row[] = []
  const name = closureIndex ? `${kind}, closure index` : kind
  const wrong: string[] = []
  if (missingVectors === false) {
    const results = [
      await runSuite('consolidated_1_1_tests.yaml', store, closureIndex),
      await runSuite('abac_tests.yaml', store, closureIndex),
    ]
    const sum = (count: keyof (typeof results)[number]['asked']): number =>
      results.reduce((all, { asked }) => all + asked[count], 0)
    wrong.push(...results.flatMap((result) => result.wrong))
    rows.push([
      name,
      'YAML suites, the half that is shared',
      sum('checks'),
      sum('listObjects'),
      sum('streamed'),
      sum('listUsers'),
      sum('listedAgain'),
      wrong.length,
    ])
  }
  if (matrix !== undefined) {
    const result = await runMatrix(matrix, store, seed, closureIndex)
    const { checks, listObjects, lists, streamed, listUsers, listedAgain } = result.asked
    rows.push([
      name,
      'tables of the Go tests',
      checks,
      listObjects + lists,
      streamed,
      listUsers,
      listedAgain,
      result.wrong.length,
    ])
    wrong.push(...result.wrong)
  }
  for (const each of wrong.slice(0, 20)) console.log(`${kind}: ${each}`)
  return rows
}

function record(rows: readonly Row[]): void {
  recordEvidence(new URL('../..', import.meta.url), 'suites', {
    command: `pnpm --filter @loadbearing/zanzibar suites --seed ${seed} --record`,
    seed,
    versions: { openfga: openFgaVersion, node: process.versions.node },
    columns: [
      'store',
      'tests of OpenFGA',
      'checks',
      'lists of objects',
      'streamed',
      'lists of users',
      'listed, and checked',
      'wrong',
    ],
    rows,
    notes: [
      'Tests of one stage and at most 100 tuples are run twice, the second time with all tuples contextual. What a list of a suite or of `tests/listobjects` gives is checked.',
    ],
  })
}
