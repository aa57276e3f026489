import type { ConfigSource } from '../source/source.ts'

/**
 * A text of several lines, as plain YAML has it, so that these configs, which every program needs first of all, are read
 * by the faster reader. Blank lines make it as long as a block scalar, so that what follows keeps its line.
 */
function lines(text: string): string {
  return `${JSON.stringify(text)}${'\n'.repeat(text.split('\n').length - 1)}`
}

const logging = `version: 1
formatters:
  simple:
    format: '[%(asctime)s][%(name)s][%(levelname)s] - %(message)s'
`
const consoleOnly = `handlers:
  console:
    class: logging.StreamHandler
    formatter: simple
    stream: ext://sys.stdout
root:
  level: INFO
  handlers:
  - console
disable_existing_loggers: false
`
const silent = `version: 1
root:
  level: ERROR
disable_existing_loggers: true
`
const none = `version: 1
root: null
disable_existing_loggers: false
`

/** Hydra's own configs, of the same names, keys and values as those that it brings along. */
const files: ReadonlyMap<string, string> = new Map([
  [
    'hydra/config.yaml',
    `defaults:
- output: default
- launcher: basic
- sweeper: basic
- help: default
- hydra_help: default
- hydra_logging: default
- job_logging: default
- callbacks: null
- env: default
mode: null
searchpath: []
run: {dir: '???'}
sweep: {dir: '???', subdir: '???'}
hydra_logging: '???'
job_logging: '???'
sweeper: '???'
launcher: '???'
callbacks: {}
help: {app_name: '???', header: '???', footer: '???', template: '???'}
hydra_help: {hydra_help: '???', template: '???'}
output_subdir: .hydra
overrides: {hydra: [], task: []}
job:
  name: '???'
  chdir: null
  override_dirname: '???'
  id: '???'
  num: '???'
  config_name: '???'
  env_set: {}
  env_copy: []
  config:
    override_dirname: {kv_sep: '=', item_sep: ',', exclude_keys: []}
runtime:
  version: '???'
  version_base: '???'
  cwd: '???'
  config_sources: '???'
  output_dir: '???'
  choices: {}
verbose: false
`,
  ],
  ['hydra/env/default.yaml', '{}\n'],
  [
    'hydra/help/default.yaml',
    `app_name: \${hydra.job.name}
header: ${lines('${hydra.help.app_name} is powered by Hydra.\n')}
footer: ${lines(`Powered by Hydra (https://hydra.cc)
Use --hydra-help to view Hydra specific help
`)}
template: ${lines(`\${hydra.help.header}
== Configuration groups ==
Compose your configuration from those groups (group=option)

$APP_CONFIG_GROUPS

== Config ==
Override anything in the config (foo.bar=value)

$CONFIG

\${hydra.help.footer}
`)}
`,
  ],
  [
    'hydra/hydra_help/default.yaml',
    `template: ${lines(`Hydra (\${hydra.runtime.version})
See https://hydra.cc for more info.

== Flags ==
$FLAGS_HELP

== Configuration groups ==
Compose your configuration from those groups (For example, append hydra/job_logging=disabled to command line)

$HYDRA_CONFIG_GROUPS

Use '--cfg hydra' to Show the Hydra config.
`)}
`,
  ],
  [
    'hydra/hydra_logging/default.yaml',
    `version: 1
formatters:
  simple:
    format: '[%(asctime)s][HYDRA] %(message)s'
${consoleOnly.replace('disable_', 'loggers:\n  logging_example:\n    level: DEBUG\ndisable_')}`,
  ],
  ['hydra/hydra_logging/disabled.yaml', silent],
  ['hydra/hydra_logging/none.yaml', none],
  [
    'hydra/hydra_logging/hydra_debug.yaml',
    `${logging}handlers:
  file:
    class: logging.FileHandler
    mode: w
    formatter: simple
    filename: hydra-\${hydra.job.name}.log
    delay: true
root:
  level: ERROR
  handlers:
  - file
loggers:
  hydra:
    level: DEBUG
disable_existing_loggers: false
`,
  ],
  [
    'hydra/job_logging/default.yaml',
    `${logging}handlers:
  console:
    class: logging.StreamHandler
    formatter: simple
    stream: ext://sys.stdout
  file:
    class: logging.FileHandler
    formatter: simple
    filename: \${hydra.runtime.output_dir}/\${hydra.job.name}.log
root:
  level: INFO
  handlers:
  - console
  - file
disable_existing_loggers: false
`,
  ],
  ['hydra/job_logging/disabled.yaml', silent],
  ['hydra/job_logging/none.yaml', none],
  [
    'hydra/job_logging/stdout.yaml',
    `version: 1
formatters:
  simple:
    format: '%(message)s'
${consoleOnly}`,
  ],
  ['hydra/launcher/basic.yaml', '_target_: hydra._internal.core_plugins.basic_launcher.BasicLauncher\n'],
  [
    'hydra/output/default.yaml',
    `# @package hydra
run:
  dir: outputs/\${now:%Y-%m-%d}/\${now:%H-%M-%S}
sweep:
  dir: multirun/\${now:%Y-%m-%d}/\${now:%H-%M-%S}
  subdir: \${hydra.job.num}
`,
  ],
  [
    'hydra/sweeper/basic.yaml',
    `_target_: hydra._internal.core_plugins.basic_sweeper.BasicSweeper
max_batch_size: null
params: null
`,
  ],
  ['_dummy_empty_config_.yaml', '{}\n'],
])

/** The first source of every search path. */
export const hydraSource: ConfigSource = { path: 'pkg://hydra.conf', files: () => files }
