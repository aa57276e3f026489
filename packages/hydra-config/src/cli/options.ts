/** The flags of Hydra's command line, each with the name under which its value is kept. */
export type OptionName =
  | 'help'
  | 'hydraHelp'
  | 'version'
  | 'cfg'
  | 'resolve'
  | 'package'
  | 'run'
  | 'multirun'
  | 'shellCompletion'
  | 'configPath'
  | 'configName'
  | 'configDir'
  | 'rerun'
  | 'info'

export interface OptionSpec {
  readonly option: OptionName
  /** As they are written, the first one shown in the usage. */
  readonly names: readonly string[]
  readonly argument: 'none' | 'one' | 'optional'
  readonly choices?: readonly string[]
  /** What `--hydra-help` says of it. */
  readonly help: string
}

const infoTopics: readonly string[] = ['all', 'config', 'defaults', 'defaults-tree', 'plugins', 'searchpath']

// In the order in which Hydra lists them: of `--help` and of ambiguous names.
export const optionSpecs: readonly OptionSpec[] = [
  { option: 'help', names: ['--help', '-h'], argument: 'none', help: "Application's help" },
  { option: 'hydraHelp', names: ['--hydra-help'], argument: 'none', help: "Hydra's help" },
  { option: 'version', names: ['--version'], argument: 'none', help: "Show Hydra's version and exit" },
  {
    option: 'cfg',
    names: ['--cfg', '-c'],
    argument: 'one',
    choices: ['job', 'hydra', 'all'],
    help: 'Show config instead of running [job|hydra|all]',
  },
  {
    option: 'resolve',
    names: ['--resolve'],
    argument: 'none',
    help: 'Used in conjunction with --cfg, resolve config interpolations before printing.',
  },
  { option: 'package', names: ['--package', '-p'], argument: 'one', help: 'Config package to show' },
  { option: 'run', names: ['--run', '-r'], argument: 'none', help: 'Run a job' },
  {
    option: 'multirun',
    names: ['--multirun', '-m'],
    argument: 'none',
    help: 'Run multiple jobs with the configured launcher and sweeper',
  },
  {
    option: 'shellCompletion',
    names: ['--shell-completion', '-sc'],
    argument: 'none',
    help: 'Install or Uninstall shell completion:',
  },
  {
    option: 'configPath',
    names: ['--config-path', '-cp'],
    argument: 'one',
    help: `Overrides the config_path specified in hydra.main().
                    The config_path is absolute or relative to the Python file declaring @hydra.main()`,
  },
  {
    option: 'configName',
    names: ['--config-name', '-cn'],
    argument: 'one',
    help: 'Overrides the config_name specified in hydra.main()',
  },
  {
    option: 'configDir',
    names: ['--config-dir', '-cd'],
    argument: 'one',
    help: 'Adds an additional config dir to the config search path',
  },
  {
    option: 'rerun',
    names: ['--experimental-rerun'],
    argument: 'one',
    help: 'Rerun a job from a previous config pickle',
  },
  {
    option: 'info',
    names: ['--info', '-i'],
    argument: 'optional',
    choices: infoTopics,
    help: `Print Hydra information [${infoTopics.join('|')}]`,
  },
]

export const overridesHelp =
  'Any key=value arguments to override config values (use dots for.nested=overrides)'
