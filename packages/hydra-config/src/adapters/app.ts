import { realpathSync } from 'node:fs'
import { basename, dirname, extname, isAbsolute, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { getCallSites } from 'node:util'
import { AppCall, type AppDefinition, type ExitStatus, type LaunchedJob } from '../cli/app-call.ts'
import { parseArguments } from '../cli/arguments.ts'
import { runCommandLine } from '../cli/command-line.ts'
import { runExplain } from '../cli/tools.ts'
import { type Composition, settledComposition } from '../compose/composition.ts'
import { type ConfigNode, ConfigTree } from '../compose/config-node.ts'
import { HydraConfigError } from '../errors.ts'
import type { Resolvers } from '../interpolation/resolver.ts'
import type { CallbackFactories } from '../job/callbacks.ts'
import type { Launcher } from '../job/launcher.ts'
import type { Platform } from '../job/platform.ts'
import type { JobContext } from '../job/run-job.ts'
import type { Random } from '../ports.ts'
import type { DeepReadonly, StandardSchema } from '../schema/standard-schema.ts'
import { type SecretsOptions, secretsOf } from '../secret/secrets.ts'
import type { Semantics } from '../semantics.ts'
import { shown } from '../shown.ts'
import type { ConfigSource } from '../source/source.ts'
import { isStoredFiles, type StoredFiles } from '../source/stored-files.ts'
import {
  childProcessLauncher,
  followLauncher,
  isLaunchedJob,
  type LaunchedResult,
  launchedJob,
  sendResult,
  workerThreadsLauncher,
} from './launchers.ts'
import { systemPlatform } from './system-platform.ts'

/** Options of {@link defineApp}. */
export interface AppOptions {
  /** Name of the primary config, without `.yaml`. Default: none. */
  readonly config?: string
  /**
   * Directory of the configs; a relative one is taken from `from`. `pkg://<package>/<folder>`
   * is one in an installed package. Default: none.
   */
  readonly configPath?: string | URL
  /** Instead of `configPath`. */
  readonly source?: ConfigSource
  /**
   * The file that defines the app: `import.meta.url`, or its absolute path. Needed where a bundler has put this package
   * into it. Default: the file that calls `defineApp`, as the stack tells it.
   */
  readonly from?: string | URL
  /** Its structured configs, a `configStore`: the last source of the search path. Default: none. */
  readonly store?: ConfigSource
  /** Name of the app and its jobs. Default: the name of the file `from`, without its ending. */
  readonly name?: string
  /** Further resolvers for interpolations, by name. */
  readonly resolvers?: Resolvers
  /** What is secret, besides what `secret()` makes so and what the schema marks. Default: nothing. */
  readonly secrets?: SecretsOptions
  /** Default: `hydra-1.3`. */
  readonly semantics?: Semantics
  /** What `hydra/launcher=<name>` chooses from besides `basic`. Default: `worker_threads` and `child_process`. */
  readonly launchers?: readonly Launcher[]
  /** What `hydra.callbacks` may name as `_target_`. Default: nothing. */
  readonly callbacks?: CallbackFactories
  /** Order of what a sweep shuffles. Default: Math.random. */
  readonly random?: Random
}

/** What a task is told of the job that it does. */
export interface Job<T = unknown> extends Omit<JobContext, 'config'> {
  /** The configuration with all that is known of it: where each value comes from, its digest, its YAML. */
  readonly config: Composition<T>
  /** Hydra's own configuration, such as `job.hydra.select('runtime.cwd')`. */
  readonly hydra: ConfigNode
}

/** An app with Hydra's command line. */
export interface App {
  readonly name: string
  /**
   * Does what a command line asks for, as if the program were called with it.
   * @param platform for tests. Default: this process
   * @returns the exit status: 0; 1 for what cannot be composed, or a job that failed; 2 for unknown flags
   */
  run(argv: readonly string[], platform?: Platform): Promise<ExitStatus>
  /**
   * Does one job of a multirun that a launcher has sent here, such as one of `/bullmq`.
   * @param job what {@link launchedOf} made
   * @throws {HydraConfigError} `INVALID_OPTION` for what is no job, and what composing it throws
   */
  runJob(job: LaunchedJob, platform?: Platform): Promise<LaunchedResult>
}

/**
 * Gives a program Hydra's command line: overrides, `--cfg`, `--multirun`, `--help`, completion. Where the file that
 * calls this (or `from`) is the program that Node was started with, it runs at once, and the process ends with the app's
 * status.
 * Beside Hydra's flags it knows `--explain <path>`, which prints where a value comes from.
 *
 * @throws {HydraConfigError} `INVALID_OPTION`
 */
export function defineApp<Output>(
  options: AppOptions & { readonly schema: StandardSchema<unknown, Output> },
  task: (config: DeepReadonly<Output>, job: Job<DeepReadonly<Output>>) => unknown,
): App
export function defineApp(options: AppOptions, task: (config: unknown, job: Job) => unknown): App
export function defineApp(
  options: AppOptions & { readonly schema?: StandardSchema },
  task: (config: never, job: Job<never>) => unknown,
): App {
  const file = options.from === undefined ? callerFile() : fileOf(options.from)
  const definition = definitionOf(options, file, (job) => doTask(job, options.schema, task))
  const app: App = {
    name: definition.name,
    run: (argv, platform = systemPlatform) => runApp(definition, argv, platform),
    runJob: (job, platform = systemPlatform) => runLaunched(definition, job, platform),
  }
  if (file !== undefined && isProgram(file)) queueMicrotask(() => void runProgram(definition))
  return app
}

function definitionOf(
  options: AppOptions & { readonly schema?: StandardSchema },
  file: string | undefined,
  task: AppDefinition['task'],
): AppDefinition {
  const home = file === undefined ? undefined : dirname(file)
  const name = options.name ?? (file === undefined ? 'app' : basename(file, extname(file)))
  const { resolvers, secrets, semantics, random, store } = options
  return {
    name,
    program: file === undefined ? name : basename(file),
    command: file === undefined ? name : `node ${relative(process.cwd(), file) || file}`,
    config: options.config,
    source: sourceOf(options, home),
    home: home ?? process.cwd(),
    task,
    launchers: options.launchers ?? [workerThreadsLauncher, childProcessLauncher],
    callbacks: options.callbacks ?? {},
    store,
    resolve: { resolvers, ...secretsOf(secrets, options.schema, storedFiles(store)), semantics },
    ...(random === undefined ? {} : { random }),
  }
}

/** @throws {HydraConfigError} `INVALID_OPTION` */
function storedFiles(store: ConfigSource | undefined): readonly StoredFiles[] {
  if (store === undefined) return []
  const files = store.files()
  if (files instanceof Map && isStoredFiles(files)) return [files]
  throw new HydraConfigError('INVALID_OPTION', 'store must be a configStore({…})')
}

function sourceOf({ configPath, source }: AppOptions, home: string | undefined): ConfigSource | undefined {
  if (configPath === undefined) return source
  if (source !== undefined) {
    throw new HydraConfigError('INVALID_OPTION', 'configPath and source are given; give one of them')
  }
  if (configPath instanceof URL) return systemPlatform.open(fileURLToPath(configPath))
  if (configPath.startsWith('pkg://') || isAbsolute(configPath)) return systemPlatform.open(configPath)
  if (home !== undefined) return systemPlatform.open(resolve(home, configPath))
  throw new HydraConfigError(
    'INVALID_OPTION',
    `configPath '${configPath}' is relative, and the file that calls defineApp is not known: give from: import.meta.url`,
  )
}

async function doTask(
  job: JobContext,
  schema: StandardSchema | undefined,
  task: (config: never, job: Job<never>) => unknown,
): Promise<unknown> {
  const { config: run, ...context } = job
  const config = await settledComposition(run.composed, { schema })
  const hydra = new ConfigTree(run.root, run.resolve).root.at('hydra')
  // The overloads of defineApp tie the schema to what the task takes.
  return task(config.value as never, { ...context, config: config as Composition<never>, hydra })
}

/** @throws {HydraConfigError} `INVALID_OPTION` */
function fileOf(from: string | URL): string {
  const text = String(from)
  if (text.startsWith('file://')) return fileURLToPath(text)
  if (isAbsolute(text)) return text
  throw new HydraConfigError(
    'INVALID_OPTION',
    `from must be import.meta.url or an absolute path, not '${text}'`,
  )
}

/** The file that calls what calls this; undefined where it is none. */
function callerFile(): string | undefined {
  const name = getCallSites(3)[2]?.scriptName ?? ''
  if (name.startsWith('file://')) return fileURLToPath(name)
  return name.startsWith('/') ? name : undefined
}

function isProgram(file: string): boolean {
  const program = process.argv[1]
  if (program === undefined) return false
  try {
    return realpathSync(file) === realpathSync(program)
  } catch {
    return false
  }
}

/** Hydra's command line, and `--explain <path>`, which Hydra's usage does not list. */
async function runApp(
  definition: AppDefinition,
  argv: readonly string[],
  platform: Platform,
): Promise<ExitStatus> {
  const at = argv.findIndex((each) => each === '--explain' || each === '--')
  if (argv[at] !== '--explain') return runCommandLine(definition, argv, platform)
  const [path, ...rest] = argv.slice(at + 1)
  const words = path === undefined ? [] : [path, ...argv.slice(0, at), ...rest]
  return runExplain(definition, words, platform)
}

async function runProgram(definition: AppDefinition): Promise<void> {
  const argv = process.argv.slice(2)
  const launched = launchedJob()
  if (launched === undefined) {
    process.exitCode = await runApp(definition, argv, systemPlatform)
    return
  }
  followLauncher()
  await sendResult(await runLaunched(definition, launched, systemPlatform))
}

async function runLaunched(
  definition: AppDefinition,
  job: LaunchedJob,
  platform: Platform,
): Promise<LaunchedResult> {
  const parsed = isLaunchedJob(job) ? parseArguments(job.flags) : undefined
  if (parsed?.kind !== 'arguments') {
    throw new HydraConfigError(
      'INVALID_OPTION',
      `${shown(job)} is no launched job: give what launchedOf made of one`,
    )
  }
  const call = new AppCall(definition, parsed.arguments, platform)
  try {
    const { status, returnValue, outputDir, workingDir } = await call.runLaunched(job)
    return { status, returnValue, outputDir, workingDir }
  } finally {
    call.log.close()
  }
}

export type { AppDefinition, ExitStatus, LaunchedJob } from '../cli/app-call.ts'
export type { Callback, CallbackFactories, CallbackFactory } from '../job/callbacks.ts'
export type { JobReturn } from '../job/job-return.ts'
export type { JobOutcome, LaunchContext, Launcher, PlannedJob } from '../job/launcher.ts'
export type { Logger } from '../job/log.ts'
export type { LogFile, Platform, PlatformFiles } from '../job/platform.ts'
export type { RunConfig } from '../job/run-config.ts'
export type { JobContext, Task } from '../job/run-job.ts'
export { childProcessLauncher, type LaunchedResult, launchedOf, workerThreadsLauncher } from './launchers.ts'
export { runCommandLine }
