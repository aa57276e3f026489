import { compareWithOracle } from '@loadbearing/harness/oracle'
import { cliCase, knownCliDifferences, ourCli, sameCli, theirCli } from './cli-cases.ts'
import type { Questions } from './comparisons.ts'

const share = 1 / 20

/** A real `my_app.py` and ours, of the same folder with the same command line. */
export const cliComparison: Questions = {
  name: 'cli',
  what: '`cli`: random folders, command lines and completions; standard output, standard error, exit status and every file written',
  judge: 'hydra-1.3',
  share,
  compare: (oracle, seed, runs) =>
    compareWithOracle({
      arbitrary: cliCase,
      ours: ourCli,
      theirs: async (input) => theirCli(await oracle.ask({ op: 'cli', ...input })),
      equal: sameCli,
      known: knownCliDifferences,
      seed,
      runs: Math.ceil(runs * share),
      maxDifferences: 2,
    }),
}
