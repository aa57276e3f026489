import { hydraResolvers } from '../compose/hydra-resolvers.ts'
import { type ExpandedDefaults, expandDefaults } from '../defaults/expand.ts'
import { ownConfigs } from '../defaults/own-configs.ts'
import type { Repository } from '../defaults/repository.ts'
import { HydraConfigError } from '../errors.ts'
import { ResolverCache } from '../interpolation/resolver-cache.ts'
import { wholeResolution } from '../interpolation/whole.ts'
import { type CallbackFactories, Callbacks } from '../job/callbacks.ts'
import { hydraAt, textAt } from '../job/hydra-node.ts'
import { composeJob, type JobConfig, type RunMode } from '../job/job-config.ts'
import type { JobReturn } from '../job/job-return.ts'
import { basicLauncher, type Launcher, runPlanned } from '../job/launcher.ts'
import { Log } from '../job/log.ts'
import { FailedJob, runMultirun } from '../job/multirun.ts'
import type { Platform } from '../job/platform.ts'
import { RunConfig, type RunResolveOptions } from '../job/run-config.ts'
import { runJob, type Task } from '../job/run-job.ts'
import { openSearchPath } from '../job/search-path.ts'
import { parseOverrides } from '../override/parse-overrides.ts'
import { type Random, systemRandom } from '../ports.ts'
import type { Semantics } from '../semantics.ts'
import type { ConfigSource } from '../source/source.ts'
import { joinedFiles } from '../source/stored-files.ts'
import { type ParsedSweep, parseSweep } from '../sweep/parse-sweep.ts'
import type { Arguments } from './arguments.ts'
import { Info } from './info.ts'

/** An app whose command line is Hydra's. */
export interface AppDefinition {
  /** Name of the app and, where no config gives another, of its jobs. */
  readonly name: string
  /** As the user calls it, such as `my_app.py`; in the usage. */
  readonly program: string
  /** The command as a shell takes it, such as `node my_app.ts`; for completion. */
  readonly command: string
  /** Primary config; undefined for none. */
  readonly config: string | undefined
  /** Where the app's configs are; undefined for nowhere. */
  readonly source: ConfigSource | undefined
  /** The structured configs that the app holds, of {@link configStore}; none where it is undefined. */
  readonly store?: ConfigSource | undefined
  /** Directory from which a relative `--config-path` is taken. */
  readonly home: string
  readonly task: Task
  readonly launchers: readonly Launcher[]
  readonly callbacks: CallbackFactories
  readonly resolve: RunResolveOptions
  readonly random?: Random
}

/** The exit status, as a process ends with it. */
export type ExitStatus = 0 | 1 | 2

/** One call of an app. */
export class AppCall {
  readonly app: AppDefinition
  readonly arguments: Arguments
  readonly platform: Platform
  readonly log: Log
  readonly config: string | undefined
  readonly semantics: Semantics
  readonly #warned = new Set<string>()
  /** As in Python, the same warning is told once. */
  readonly #warn = (message: string): void => {
    if (this.#warned.has(message)) return
    this.#warned.add(message)
    this.platform.err(`UserWarning: ${message}\n`)
  }

  constructor(app: AppDefinition, given: Arguments, platform: Platform) {
    this.app = app
    this.arguments = given
    this.platform = platform
    this.log = new Log(platform)
    this.config = given.configName ?? app.config
    this.semantics = app.resolve.semantics ?? 'hydra-1.3'
  }

  /** The configs that overrides compose from. */
  openRepository(config: string | undefined, overrides: readonly string[]): Promise<Repository> {
    const { configPath, configDir } = this.arguments
    const { platform, app } = this
    return openSearchPath({
      main: configPath === undefined ? app.source : platform.open(pathFrom(app.home, configPath)),
      configDir: configDir === undefined ? undefined : this.openConfigDir(configDir),
      schema: schemaSource(app),
      config,
      overrides: () => this.#parse(overrides).overrides,
      open: (path) => platform.open(path),
      resolve: { environment: platform.environment },
      warn: this.#warn,
      semantics: this.semantics,
    })
  }

  /** Composes as Hydra does for one command. */
  async compose(mode: RunMode, overrides: readonly string[], options: ComposeStep = {}): Promise<RunConfig> {
    const config = 'config' in options ? options.config : this.config
    const repository = await this.openRepository(config, overrides)
    const job = this.#composeIn(repository, mode, overrides, { ...options, config })
    const run = new RunConfig(job, this.platform, { warn: this.#warn, ...this.app.resolve })
    if (options.logged === true) {
      await run.settle()
      this.log.configure(run.resolved('hydra.hydra_logging'), run.resolved('hydra.verbose'))
      const name = 'hydra._internal.hydra'
      if (this.log.isEnabled(name, 'DEBUG')) {
        const logger = this.log.logger(name)
        await new Info(this, (line) => logger.debug(line), mode).all()
      }
    }
    return run
  }

  /** The defaults lists alone, whatever becomes of the values. */
  async expand(overrides: readonly string[]): Promise<ExpandedDefaults> {
    const repository = await this.openRepository(this.config, overrides)
    return expandDefaults({
      own: ownConfigs,
      repository,
      config: this.config ?? null,
      overrides: this.#parse(overrides).overrides,
      warn: this.#warn,
    })
  }

  #composeIn(
    repository: Repository,
    mode: RunMode,
    overrides: readonly string[],
    { config, sweepsPass = false }: ComposeStep,
  ): JobConfig {
    const { app, platform } = this
    return composeJob({
      repository,
      config,
      entries: this.#parse(overrides).entries,
      mode,
      sweepsPass,
      facts: { name: app.name, cwd: platform.cwd(), environment: platform.environment },
      resolve: {
        parts: wholeResolution,
        ...app.resolve,
        environment: platform.environment,
        warn: this.#warn,
        resolvers: { ...hydraResolvers(platform.clock), ...app.resolve.resolvers },
      },
    })
  }

  #parse(overrides: readonly string[]): ParsedSweep {
    const { random = systemRandom, resolve } = this.app
    const options = { random, semantics: this.semantics }
    const { secretPaths } = resolve
    if (secretPaths !== undefined) {
      // What sets a secret and cannot be read is refused without its text.
      const ofSecrets = overrides.filter((text) => secretPaths.shownText(text) !== text)
      parseOverrides(ofSecrets, { ...options, secretPaths })
    }
    return parseSweep(overrides, options)
  }

  /** @throws {HydraConfigError} `SOURCE_NOT_FOUND` */
  openConfigDir(path: string): ConfigSource {
    const { platform } = this
    const absolute = platform.resolve(path)
    if (platform.files.isFolder(absolute)) return platform.open(`file://${absolute}`)
    throw new HydraConfigError('SOURCE_NOT_FOUND', `Additional config directory '${absolute}' not found`, {
      class: 'SearchPathException',
    })
  }

  async runJobs(): Promise<void> {
    const { arguments: given } = this
    const asked = await this.#askedMode()
    const mode = given.multirun ? 'MULTIRUN' : (asked ?? 'RUN')
    if (given.multirun && asked === 'RUN') {
      this.#warn('\n\tRunning Hydra app with --multirun, overriding with `hydra.mode=MULTIRUN`.')
    }
    const told = asked === undefined || asked !== mode ? [`hydra.mode=${mode}`] : []
    const overrides = [...given.overrides, ...told]
    if (mode === 'RUN') await this.#runOne(overrides)
    else await this.#runMany(overrides)
  }

  /** `hydra.mode` where the configs or overrides give it; undefined where they cannot be composed at all. */
  async #askedMode(): Promise<RunMode | undefined> {
    try {
      const run = await this.compose('MULTIRUN', this.arguments.overrides, { sweepsPass: true })
      const mode = textAt(hydraAt(run.root, 'mode'))
      return mode === 'RUN' || mode === 'MULTIRUN' ? mode : undefined
    } catch {
      return undefined
    }
  }

  async #runOne(overrides: readonly string[]): Promise<void> {
    const { app, platform, log } = this
    const config = await this.compose('RUN', overrides, { logged: true })
    const callbacks = this.callbacksOf(config)
    await callbacks.runStart(config)
    const done = await runJob({
      config,
      task: app.task,
      platform,
      log,
      callbacks,
      dirKeys: ['hydra.run.dir'],
    })
    await callbacks.runEnd(config, done)
    ensureCompleted(done)
  }

  async #runMany(overrides: readonly string[]): Promise<void> {
    const { app, platform, log } = this
    const master = await this.compose('MULTIRUN', overrides, { logged: true })
    const callbacks = this.callbacksOf(master)
    await callbacks.multirunStart(master)
    const { random = systemRandom } = app
    await runMultirun({
      master,
      task: app.task,
      platform,
      log,
      callbacks,
      // As in Hydra, what `hydra.searchpath` adds is no choice for a glob.
      globbed: await this.openRepository(undefined, []),
      launchers: [basicLauncher, ...app.launchers],
      flags: flagsOf(this.arguments),
      composeJob: (each) => this.#composeIn(master.job.repository, 'RUN', each, { config: this.config }),
      random,
    })
    await callbacks.multirunEnd(master)
  }

  /** Does one job of a multirun for a launcher that runs its jobs elsewhere. */
  async runLaunched(job: LaunchedJob): Promise<JobReturn> {
    const { app, platform, log } = this
    const repository = await this.openRepository(this.config, job.overrides)
    const composed = this.#composeIn(repository, 'RUN', job.overrides, { config: this.config })
    const kept = { cache: new ResolverCache(), times: new Map(job.times) }
    const config = new RunConfig(composed, platform, { warn: this.#warn, ...app.resolve }, kept)
    const callbacks = this.callbacksOf(config)
    return runPlanned({ num: job.num, config }, { task: app.task, platform, log, callbacks })
  }

  callbacksOf(config: RunConfig): Callbacks {
    return new Callbacks(config.resolved('hydra.callbacks'), this.app.callbacks, this.#warn)
  }
}

/** What another process or thread needs to know to do a job of a multirun; can be cloned, and written as JSON. */
export interface LaunchedJob {
  /** Those of the command line that tell where its configs are. */
  readonly flags: readonly string[]
  readonly num: number
  /** All of them, those of Hydra's own configuration first. */
  readonly overrides: readonly string[]
  /** What `${now:…}` answered before. */
  readonly times: readonly (readonly [string, string])[]
}

interface ComposeStep {
  /** Default: that of the app or of `--config-name`. */
  readonly config?: string | undefined
  readonly sweepsPass?: boolean
  /** Whether the composed configuration sets up Hydra's own logging. */
  readonly logged?: boolean
}

/** What the app stores, and what launchers bring: it stands where Hydra's plugins have their configs. */
function schemaSource({ launchers, store }: AppDefinition): ConfigSource {
  const brought = new Map(
    launchers.map(({ name, config }) => [`hydra/launcher/${name}.yaml`, config] as const),
  )
  return {
    path: 'structured://',
    files: async (signal) =>
      store === undefined ? brought : joinedFiles(await store.files(signal), brought),
  }
}

function flagsOf({ configName, configPath, configDir }: Arguments): readonly string[] {
  const given = { 'config-name': configName, 'config-path': configPath, 'config-dir': configDir }
  return Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}=${value}`]))
}

function pathFrom(home: string, path: string): string {
  return path.startsWith('/') || path.startsWith('pkg://') ? path : `${home}/${path}`
}

function ensureCompleted(job: JobReturn): void {
  if (job.status === 'FAILED') throw new FailedJob(job)
}
