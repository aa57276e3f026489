import { HydraConfigError } from '../errors.ts'
import { hydraVersion } from '../job/hydra-node.ts'
import type { Platform } from '../job/platform.ts'
import { AppCall, type AppDefinition, type ExitStatus } from './app-call.ts'
import { parseArguments } from './arguments.ts'
import { completeShell } from './completion.ts'
import { appHelp, hydraHelp } from './help.ts'
import { Info } from './info.ts'
import { reportFailure, reportUnguarded } from './report.ts'
import { rerun } from './rerun.ts'
import { showConfig } from './show-config.ts'
import { usageText } from './usage.ts'

/**
 * Does what Hydra's command line does with `argv` and tells the exit status: 2 for a command line that cannot be read, 1
 * for a configuration that cannot be composed or a job that failed.
 */
export async function runCommandLine(
  app: AppDefinition,
  argv: readonly string[],
  platform: Platform,
): Promise<ExitStatus> {
  const parsed = parseArguments(argv)
  if (parsed.kind === 'version') {
    platform.out(`Hydra ${hydraVersion}\n`)
    return 0
  }
  if (parsed.kind === 'usage') {
    platform.err(`${usageText(app.program, platform.columns)}${app.program}: error: ${parsed.message}\n`)
    return 2
  }
  const call = new AppCall(app, parsed.arguments, platform)
  try {
    return await runCall(call)
  } catch (error) {
    reportUnguarded(error, platform)
    return 1
  } finally {
    call.log.close()
  }
}

async function runCall(call: AppCall): Promise<ExitStatus> {
  const { arguments: given, platform } = call
  const { cfg, configDir } = given
  if (given.rerun !== undefined) return rerun(call, given.rerun)
  ensureNoFile(given.configPath)
  if (configDir !== undefined && (await guarded(call, () => ensureConfigDir(call, configDir))) !== 0) return 1
  if (given.help) {
    platform.out(`${await appHelp(call)}\n`)
    return 0
  }
  if (given.resolve && given.cfg === undefined) {
    fail('The --resolve flag can only be used in conjunction with --cfg or --help')
  }
  if (given.hydraHelp) {
    platform.out(`${await hydraHelp(call)}\n`)
    return 0
  }
  const commands = [
    given.run,
    given.cfg !== undefined,
    given.multirun,
    given.shellCompletion,
    given.info !== undefined,
  ]
  if (commands.filter(Boolean).length > 1) {
    fail('Only one of --run, --multirun, --cfg, --info and --shell_completion can be specified')
  }
  if (cfg !== undefined) return guarded(call, () => showConfig(call, cfg))
  if (given.shellCompletion) return guarded(call, () => completeShell(call))
  if (given.info !== undefined) {
    await new Info(call, (line) => platform.out(`${line}\n`)).show(given.info)
    return 0
  }
  return guarded(call, async () => {
    await call.runJobs()
    return 0 as const
  })
}

/** The command's status; where it fails, its failure is reported in short. */
async function guarded(
  { arguments: given, platform }: AppCall,
  command: () => ExitStatus | Promise<ExitStatus>,
): Promise<ExitStatus> {
  try {
    return await command()
  } catch (error) {
    const { cfg, resolve: resolving } = given
    const { err, environment } = platform
    reportFailure(error, { err, environment, resolving: cfg !== undefined && resolving })
    return 1
  }
}

function ensureConfigDir(call: AppCall, path: string): ExitStatus {
  call.openConfigDir(path)
  return 0
}

function ensureNoFile(configPath: string | undefined): void {
  if (configPath === undefined || !/[^/.][^/]*\.ya?ml$/.test(configPath)) return
  fail(
    'Using config_path to specify the config name is not supported, specify the config name via config_name.\n' +
      'See https://hydra.cc/docs/1.2/upgrades/0.11_to_1.0/config_path_changes\n',
  )
}

function fail(message: string): never {
  throw new HydraConfigError('INVALID_OPTION', message, { class: 'ValueError' })
}
