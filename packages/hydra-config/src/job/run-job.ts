import { scalarString } from '../value/python-string.ts'
import { redact } from '../value/secret.ts'
import { list, scalar, type Value } from '../value/value.ts'
import { dumpYaml } from '../yaml/dump.ts'
import type { Callbacks } from './callbacks.ts'
import { hydraAt, taskOverridesOf, textAt } from './hydra-node.ts'
import type { JobReturn } from './job-return.ts'
import type { Log, Logger } from './log.ts'
import type { Platform } from './platform.ts'
import type { RunConfig } from './run-config.ts'

/** What a task is told of the job that it does. */
export interface JobContext {
  readonly config: RunConfig
  /** `hydra.job.name`. */
  readonly name: string
  /** Its number in a multirun, from 0; undefined in a run of one job. */
  readonly num: number | undefined
  /** Where the job writes, absolute. */
  readonly outputDir: string
  /** The overrides of the task, in their order. */
  readonly overrides: readonly string[]
  /** Writes where `hydra.job_logging` says. */
  readonly log: Logger
  logger(name: string): Logger
}

/** What an app does in one job; its answer is the job's return value. */
export type Task = (job: JobContext) => unknown

export interface RunJobOptions {
  readonly config: RunConfig
  readonly task: Task
  readonly platform: Platform
  readonly log: Log
  readonly callbacks: Callbacks
  /** The paths of `hydra.run.dir`, or of `hydra.sweep.dir` and `hydra.sweep.subdir`. */
  readonly dirKeys: readonly string[]
}

/** Runs one job: its output folder, its logging, `.hydra/`, its environment, its task. */
export async function runJob({
  platform,
  log,
  callbacks,
  task,
  dirKeys,
  ...given
}: RunJobOptions): Promise<JobReturn> {
  await given.config.settle()
  const outputDir = platform.resolve(dirKeys.map((key) => given.config.text(key)).join('/'))
  const config = await given.config
    .withHydra('runtime.output_dir', scalar(outputDir, { kind: 'code' }))
    .settle()
  platform.files.makeFolder(outputDir)
  const goBack = isTrue(config.select('hydra.job.chdir')) ? platform.changeDirectory(outputDir) : undefined
  try {
    log.configure(config.resolved('hydra.job_logging'), config.resolved('hydra.verbose'))
    saveConfig(config, platform, outputDir)
    const done = await inEnvironment(config, platform, async () => {
      await callbacks.jobStart(config)
      const name = config.text('hydra.job.name')
      const outcome = await outcomeOf(task, contextOf(config, log, outputDir, name))
      const overrides = taskOverridesOf(config.root)
      return { ...outcome, overrides, config, outputDir, workingDir: platform.cwd(), name }
    })
    await callbacks.jobEnd(config, done)
    return done
  } finally {
    goBack?.()
  }
}

/** With the variables of `hydra.job.env_set`, and afterwards as before. */
async function inEnvironment<T>(config: RunConfig, platform: Platform, work: () => Promise<T>): Promise<T> {
  const restore = platform.setEnvironment(environmentOf(config))
  try {
    return await work()
  } finally {
    restore()
  }
}

async function outcomeOf(task: Task, job: JobContext): Promise<Pick<JobReturn, 'status' | 'returnValue'>> {
  try {
    return { status: 'COMPLETED', returnValue: await task(job) }
  } catch (error) {
    return { status: 'FAILED', returnValue: error }
  }
}

export function contextOf(config: RunConfig, log: Log, outputDir: string, name: string): JobContext {
  const num = hydraAt(config.root, 'job.num')
  return {
    config,
    name,
    num: num?.kind === 'scalar' && typeof num.value === 'bigint' ? Number(num.value) : undefined,
    outputDir,
    overrides: taskOverridesOf(config.root),
    log: log.logger(name),
    logger: (of) => log.logger(of),
  }
}

/** Writes `.hydra/`, secrets as `***`; nothing where `hydra.output_subdir` is null. */
function saveConfig(config: RunConfig, { files }: Platform, outputDir: string): void {
  const subdir = textAt(config.select('hydra.output_subdir'))
  if (subdir === undefined) return
  const overrides = list(taskOverridesOf(config.root).map((text) => scalar(text)))
  const texts: [string, Value][] = [
    ['config.yaml', config.task.tree.raw],
    ['hydra.yaml', config.hydra],
    ['overrides.yaml', overrides],
  ]
  files.writeFolder(
    `${outputDir}/${subdir}`,
    new Map(texts.map(([name, value]) => [name, dumpYaml(redact(value))] as const)),
  )
}

function environmentOf(config: RunConfig): ReadonlyMap<string, string> {
  const variables = config.resolved('hydra.job.env_set')
  if (variables?.kind !== 'map') return new Map()
  return new Map(
    variables.entries
      .entries()
      .map(([name, value]) => [scalarString(name), value.kind === 'scalar' ? scalarString(value.value) : '']),
  )
}

function isTrue(value: Value | undefined): boolean {
  return value?.kind === 'scalar' && value.value === true
}
