import { compareWithOracle } from '@loadbearing/harness/oracle'
import fc, { type Arbitrary } from 'fast-check'
import { parseArguments } from '../../src/cli/arguments.ts'
import { usageText } from '../../src/cli/usage.ts'
import { hydraVersion } from '../../src/job/hydra-node.ts'
import type { Questions } from './comparisons.ts'

interface ArgumentsCase {
  readonly program: string
  readonly argv: readonly string[]
  readonly columns: number
}

const names = [
  '--help',
  '--hydra-help',
  '--version',
  '--cfg',
  '--resolve',
  '--package',
  '--run',
  '--multirun',
  '--info',
  '--shell-completion',
  '--config-path',
  '--config-name',
  '--config-dir',
  '--experimental-rerun',
]
const long = fc
  .tuple(fc.constantFrom(...names), fc.nat(20), fc.constantFrom('', '', '', '=', '=job', '=all', '=x y'))
  .map(([name, length, rest]) => name.slice(0, Math.max(2, length)) + rest)
const short = fc
  .tuple(
    fc.constantFrom('-h', '-c', '-p', '-r', '-m', '-s', '-sc', '-cp', '-cn', '-cd', '-i', '-x', '-'),
    fc.constantFrom('', '', '', 'job', 'm', 'r', 'hm', 'mr', '=all', '=', 'mi', 'rcjob', 'x', "'"),
  )
  .map((parts) => parts.join(''))
const word = fc.constantFrom(
  'a=1',
  'db=pg',
  '+x=2',
  '~y',
  'job',
  'all',
  'defaults',
  '--',
  '-1',
  '-1.5',
  '-.5',
  '-1e5',
  '',
  'x y',
  '-a b',
  '—',
)
const argumentsCase: Arbitrary<ArgumentsCase> = fc.record({
  program: fc.constantFrom(
    'my_app.py',
    'app',
    'an_app_with_a_name_that_takes_most_of_a_line_of_the_terminal.py',
  ),
  argv: fc.array(
    fc.oneof({ weight: 3, arbitrary: long }, { weight: 3, arbitrary: short }, { weight: 4, arbitrary: word }),
    {
      maxLength: 5,
    },
  ),
  columns: fc.constantFrom(80, 80, 20, 40, 120, 400),
})

/** Ours as `argparse` tells it. */
function ourArguments({ program, argv, columns }: ArgumentsCase): object {
  const parsed = parseArguments(argv)
  if (parsed.kind === 'version') return { exit: 0, stdout: `Hydra ${hydraVersion}\n`, stderr: '' }
  if (parsed.kind === 'usage') {
    const stderr = `${usageText(program, columns)}${program}: error: ${parsed.message}\n`
    return { exit: 2, stdout: '', stderr }
  }
  const given = parsed.arguments
  return {
    help: given.help,
    hydra_help: given.hydraHelp,
    overrides: given.overrides,
    cfg: given.cfg ?? null,
    resolve: given.resolve,
    package: given.package ?? null,
    run: given.run,
    multirun: given.multirun,
    shell_completion: given.shellCompletion,
    config_path: given.configPath ?? null,
    config_name: given.configName ?? null,
    config_dir: given.configDir ?? null,
    experimental_rerun: given.rerun ?? null,
    info: given.info ?? null,
  }
}

const share = 1

/** Hydra's parser of flags and ours: what is read, or the usage and error to the letter. */
export const argumentsComparison: Questions = {
  name: 'arguments',
  what: 'Flags: random ones, shortened, joined and with arguments; what is read, or the usage and the error to the letter',
  judge: 'hydra-1.3',
  share,
  compare: (oracle, seed, runs) =>
    compareWithOracle({
      arbitrary: argumentsCase,
      ours: ourArguments,
      theirs: async (input) => ((await oracle.ask({ op: 'arguments', ...input })) as { ok: object }).ok,
      equal: (ours, theirs) => JSON.stringify(ours) === JSON.stringify(theirs),
      seed,
      runs: Math.ceil(runs * share),
    }),
}
