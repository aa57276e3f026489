import { scalar } from '../value/value.ts'
import type { Callbacks } from './callbacks.ts'
import type { JobReturn } from './job-return.ts'
import type { Log } from './log.ts'
import type { Platform } from './platform.ts'
import type { RunConfig } from './run-config.ts'
import { runJob, type Task } from './run-job.ts'

/** One job of a multirun, before it runs. */
export interface PlannedJob {
  /** From 0, over all batches. */
  readonly num: number
  /** What the sweeper chose. */
  readonly overrides: readonly string[]
  /** Composes its configuration, anew at each call: of many jobs all together would be large. */
  compose(): RunConfig
}

/** What a multirun needs to know of what came of a job. */
export type JobOutcome = Pick<JobReturn, 'status' | 'returnValue' | 'overrides'>

export interface LaunchContext {
  readonly task: Task
  readonly platform: Platform
  readonly log: Log
  readonly callbacks: Callbacks
  /** The configuration of the multirun. */
  readonly master: RunConfig
  /** The flags by which a job that runs elsewhere finds the configs, such as `--config-name=other`. */
  readonly flags: readonly string[]
  /** Tells that a job begins. */
  announce(job: PlannedJob): void
}

/** Runs the jobs of a batch. Choose one by `hydra/launcher=<name>`. */
export interface Launcher {
  /** The option of the config group `hydra/launcher`. */
  readonly name: string
  /** `_target_` of its configuration. */
  readonly target: string
  /** Its configuration as YAML, `_target_` included. */
  readonly config: string
  /** Where it runs jobs, for its message: `locally`. */
  readonly where: string
  launch(jobs: readonly PlannedJob[], context: LaunchContext): Promise<readonly JobOutcome[]>
}

/** Runs one job after the other, here: Hydra's own launcher, and the default. */
export const basicLauncher: Launcher = {
  name: 'basic',
  target: 'hydra._internal.core_plugins.basic_launcher.BasicLauncher',
  config: '_target_: hydra._internal.core_plugins.basic_launcher.BasicLauncher\n',
  where: 'locally',
  async launch(jobs, context) {
    const done: JobOutcome[] = []
    for (const job of jobs) {
      context.announce(job)
      const composed = { num: job.num, config: job.compose() }
      const { status, returnValue, overrides } = await runPlanned(composed, context)
      done.push({ status, returnValue, overrides })
      const { master, log } = context
      log.configure(master.resolved('hydra.hydra_logging'), master.resolved('hydra.verbose'))
    }
    return done
  },
}

/** A job of a multirun that is about to run. */
interface ComposedJob {
  readonly num: number
  readonly config: RunConfig
}

/** Runs a job of a multirun in this process. */
export function runPlanned(
  job: ComposedJob,
  { task, platform, log, callbacks }: Pick<LaunchContext, 'task' | 'platform' | 'log' | 'callbacks'>,
): Promise<JobReturn> {
  return runJob({
    config: numbered(job),
    task,
    platform,
    log,
    callbacks,
    dirKeys: ['hydra.sweep.dir', 'hydra.sweep.subdir'],
  })
}

function numbered({ config, num }: ComposedJob): RunConfig {
  return config
    .withHydra('job.id', scalar(String(num), { kind: 'code' }))
    .withHydra('job.num', scalar(BigInt(num), { kind: 'code' }))
}
