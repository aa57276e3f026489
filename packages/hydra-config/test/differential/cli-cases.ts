import fc, { type Arbitrary } from 'fast-check'
import { runMyApp } from '../conformance/cli-operation.ts'
import type { CliCase } from './cli-case.ts'
import { ourStderr, theirStderr } from './cli-stderr.ts'
import { configCase, sweepCase } from './config-cases.ts'

/** What both sides are compared by. */
export interface CliAnswer {
  readonly stdout: string
  /** Without what only one side can have; see {@link ourStderr} and {@link theirStderr}. */
  readonly stderr: string
  readonly exit: number
}

/** With every file that the run left behind, by its path. */
export interface CliRun extends CliAnswer {
  readonly saved: Readonly<Record<string, string>>
}

const flags = fc.oneof(
  { weight: 2, arbitrary: fc.constant<readonly string[]>([]) },
  {
    weight: 8,
    arbitrary: fc.constantFrom<readonly string[]>(
      ['--cfg', 'job'],
      ['--cfg', 'job'],
      ['-c', 'all'],
      ['--cfg=hydra'],
      ['--cfg', 'job', '--resolve'],
      ['--cfg', 'all', '--resolve'],
      ['-c', 'job', '-p', 'db'],
      ['-c', 'job', '--package', 'db.engine'],
      ['-p', 'k', '--cfg', 'all'],
      ['-p', 'v', '--cfg', 'job', '--resolve'],
      ['-p', 'hydra.runtime.choices', '--cfg', 'hydra'],
      ['--info', 'defaults'],
      ['--info', 'defaults'],
      ['-i', 'defaults-tree'],
      ['--info=defaults-tree'],
      ['--info', 'config'],
      ['--info', 'all'],
      ['--info', 'searchpath'],
      ['--info', 'plugins'],
      ['--help'],
      ['-h', '--resolve'],
      ['-m'],
      ['--multirun'],
      ['-r'],
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<readonly string[]>(
      ['--hydra-help'],
      ['--version'],
      ['--multi'],
      ['--cfg'],
      ['--co', 'x'],
      ['--conf=db'],
      ['-mc', 'job'],
      ['-cjob'],
      ['-mr'],
      ['--run', '--multirun'],
      ['--cfg', 'task'],
      ['--resolve'],
      ['-i=config'],
      ['-cd', 'db', '--info', 'searchpath'],
      ['-cd', 'nope'],
      ['-cn', 'other', '-c', 'job'],
      ['-cn', 'db/a', '--info', 'defaults-tree'],
      ['-cp', 'db', '-cn', 'a', '--cfg', 'job'],
      ['--config-path=nope'],
      ['--bogus'],
      ['--', '-1'],
    ),
  },
)

/** Of Hydra's own node, and of those that are refused. */
const hydraOverride = fc.constantFrom(
  'hydra.job.name=5',
  'hydra.job.chdir=yes',
  'hydra.job.num=x',
  'hydra.mode=MULTIRUN',
  'hydra.run.dir=out',
  'hydra.output_subdir=null',
  'hydra/job_logging=none',
  'hydra/hydra_logging=disabled',
  'hydra.verbose=true',
  'hydra.searchpath=[file:///app/db]',
  'hydra.searchpath=[file:///app/nope]',
  'hydra.searchpath=x',
  'hydra.job.config.override_dirname.exclude_keys=[k]',
  'hydra.job.config.override_dirname.kv_sep=-',
  'hydra.sweeper.max_batch_size=2',
  'hydra.job.env_copy=[HOME_OF_CASES]',
  'hydra.help.app_name=${hydra.job.name}',
  "hydra.help.template='$$ ${hydra.help.header} $CONFIG'",
  '+hydra.job.env_set.A=1',
  'hydra.job.nope=1',
  '+k2=${hydra:job.name}',
  '+k2=${k}',
  'hydra.run.dir=${now:%Y}',
  'hydra.run.dir=${nope}',
  'hydra.job.name=${nope.x}',
  'hydra.job.num=null',
  'hydra.job=5',
  'hydra.job.env_copy=5',
  'hydra.job.env_set=[1]',
  'hydra.hydra_logging=5',
  'hydra.job.name={a: 1}',
  'hydra.job.config.override_dirname.nope=1',
  '~hydra.job',
  '+k2=${nope}',
  'k=${nope:1}',
  '++k2=${v.x.y}',
  '++k2=${k2}',
  '++k2=${oc.env:NOPE_OF_CASES}',
  'v.9=1',
  'v={z: 1}',
  'v=[1]',
  'k={z: {y: 1}}',
  '~v.n',
  "a='",
  'k=[1',
  'k=é',
  'k=a b=c',
  'k={a:1',
  'k=int(x)',
  'k=nope(1)',
  'k=range(1,x)',
  'k@p=}',
  '=1',
  '/x=1',
  'k!=1',
)

const hydraBody = fc.constantFrom(
  '',
  '',
  '',
  '',
  'hydra:\n  job:\n    name: mine\n',
  'hydra:\n  run:\n    dir: out/${hydra.job.name}\n  mode: RUN\n',
  'hydra:\n  searchpath:\n  - file:///app/db\n',
  'hydra:\n  help:\n    app_name: Mine\n    footer: the end\n',
  'hydra:\n  verbose: 1\n  job: {id: 7}\n',
  'hydra:\n  job:\n    env_set: {A: 1}\n',
  'u: ${k}\nr: ${hydra:runtime.cwd}\n',
  'hydra:\n  nope: 1\n',
  'hydra:\n  mode: MULTIRUN\n',
  'hydra:\n  job: {nope: 1}\n',
  'hydra:\n  job: {num: x}\n',
  'hydra:\n  job: [1]\n',
  'hydra:\n  run: {dir: [1]}\n',
  'hydra:\n  job: {env_copy: {a: 1}}\n',
  'hydra:\n  job: {num: null}\n',
  'u: ${nope}\n',
)

const commandLine: Arbitrary<CliCase> = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: configCase }, { weight: 1, arbitrary: sweepCase }),
    flags,
    fc.array(hydraOverride, { maxLength: 1 }),
    hydraBody,
    fc.boolean(),
  )
  .map(([{ files, overrides }, given, ofHydra, body, overridesFirst]) => {
    const values = [...overrides, ...ofHydra]
    return {
      files: { ...files, 'config.yaml': withBody(files['config.yaml'] ?? '', body) },
      argv: overridesFirst ? [...values, ...given] : [...given, ...values],
      environment: { HOME_OF_CASES: 'here' },
    }
  })

/** The body of the config may have the key itself: then that stays. */
function withBody(text: string, body: string): string {
  const key = body.slice(0, body.indexOf(':') + 1)
  return body === '' || text.split('\n').some((line) => line.startsWith(key)) ? text : `${text}${body}`
}

const word = fc.oneof(
  fc.constantFrom(
    '',
    'd',
    'db',
    'db=',
    'db=a',
    'db/',
    'db/engine=',
    'db.',
    'k',
    'k.',
    'k=',
    'v.',
    'v.n=',
    'o.one=',
    'w.',
    'w.0=',

    '+',
    '+x=',
    '~',
    '~db',
    '~db=',
    'hydra/',
    'hydra.',
    'hydra/launcher=',
    'hydra.job.',
    'hydra.runtime.choices.',

    'x',
    'server=',
    'nope',
    'nope.',
    'nope=',
    'db@p=',
    'a=b=c',
    'other',
    'db/engine/',
    'hydra.mode=',
    'hydra.run.dir=',
  ),
)

const query: Arbitrary<CliCase> = fc
  .tuple(
    configCase,
    word,
    fc.constantFrom('bash', 'bash', 'zsh', 'fish'),
    fc.constantFrom('python my_app.py', './my_app.py', 'my_app', '/opt/python3 my_app.py'),
    fc.constantFrom('', '', '', '-m', '--cfg job', '--foo'),
  )
  .map(([{ files, overrides }, last, shell, command, given]) => ({
    files,
    argv: ['-sc', `query=${shell}`],
    environment: {
      COMP_LINE: [command, given, ...overrides, last].filter((each, at) => each !== '' || at === 4).join(' '),
    },
  }))

/** A folder of configs with a command line of any kind, or a line to be completed. */
export const cliCase: Arbitrary<CliCase> = fc.oneof(
  { weight: 4, arbitrary: commandLine },
  { weight: 1, arbitrary: query },
)

export async function ourCli({ files, argv, environment }: CliCase): Promise<CliRun> {
  const { platform, exit } = await runMyApp(files, argv, (name) =>
    Object.hasOwn(environment, name) ? environment[name] : undefined,
  )
  const saved = [...platform.written].map(([path, text]) => [path.slice('/app/'.length), text] as const)
  const stderr = masked(ourStderr(platform.stderr))
  return { stdout: masked(platform.stdout), stderr, exit, saved: maskedFiles(saved) }
}

/** The answer of the oracle as ours is compared with it. */
export function theirCli(answer: unknown): CliRun {
  const { ok } = answer as { ok: CliRun }
  const { stdout, stderr, exit, saved } = ok
  return {
    stdout: masked(stdout),
    stderr: masked(theirStderr(stderr)),
    exit,
    saved: maskedFiles(Object.entries(saved)),
  }
}

/** Times, and what depends on the length of the name of the folder, without their differences. */
export function masked(text: string): string {
  const timed = text.replace(/\d{4}-\d\d-\d\d/g, '<date>').replace(/\d\d[-:]\d\d[-:]\d\d(?:,\d+)?/g, '<time>')
  const tables = timed.includes('Search path') ? timed.replace(/ {2,}/g, ' ').replace(/-{3,}/g, '---') : timed
  // How long Python took to load which of its plugins.
  return tables.replace(
    /(\nTotal plugins scan time : )[\d.]+( seconds\n)-+\n\| Module *\| Sec *\|\n-+\n(?:\| .*\n)*-+\n/,
    '$1<time>$2',
  )
}

function maskedFiles(files: readonly (readonly [string, string])[]): Readonly<Record<string, string>> {
  const all = files.map(([path, text]) => [masked(path), masked(text)] as const)
  return Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

export function sameCli(ours: CliRun, theirs: CliRun): boolean {
  return JSON.stringify(ours) === JSON.stringify(theirs)
}

/** Whether they are the same but for what `masking` takes away from standard error. */
function alike(ours: CliRun, theirs: CliRun, masking: (text: string) => string): boolean {
  return sameCli({ ...ours, stderr: masking(ours.stderr) }, { ...theirs, stderr: masking(theirs.stderr) })
}

/** Where this package and Hydra differ, and why. */
export const knownCliDifferences: readonly {
  readonly reason: string
  readonly covers: (input: CliCase, ours: CliRun, theirs: CliRun) => boolean
}[] = [
  {
    reason: 'Hydra fails where a map is given for the null of hydra.sweeper.params; we take it',
    covers: ({ argv }, ours, theirs) =>
      argv.some((each) => /hydra\.sweeper\.params=\{/.test(each)) && ours.exit === 0 && theirs.exit === 1,
  },
  {
    reason: 'Python prints the object of an override that deletes an option which is no string',
    covers: (_, ours, theirs) =>
      theirs.stderr.includes(' : Override(type=') &&
      alike(ours, theirs, (text) => text.replace(/(value must be a string : ).*/, '$1')),
  },
  {
    reason: 'Hydra fails where the word to complete is below a scalar; we have no completion for it',
    covers: ({ argv }, ours, theirs) =>
      argv[0] === '-sc' && ours.stdout.trim() === '' && ours.exit === 0 && theirs.exit === 1,
  },
  {
    reason:
      'Hydra knows from a dataclass that hydra.sweeper.params is a map; we complete it by its value, null',
    covers: (_, ours, theirs) =>
      sameCli(
        { ...ours, stdout: ours.stdout.replace('hydra.sweeper.params=', 'hydra.sweeper.params.') },
        theirs,
      ),
  },
]
