import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { LaunchedJob } from '../cli/app-call.ts'
import { HydraConfigError } from '../errors.ts'
import { entryText, hydraAt, taskOverridesOf } from '../job/hydra-node.ts'
import type { JobReturn } from '../job/job-return.ts'
import type { JobOutcome, LaunchContext, Launcher, PlannedJob } from '../job/launcher.ts'
import type { RunConfig } from '../job/run-config.ts'

/** What a launched job answers; can be cloned. */
export type LaunchedResult = Pick<JobReturn, 'status' | 'returnValue' | 'outputDir' | 'workingDir'>

/** Where a launched job stands in its thread's data, or in its process's environment. */
const marker = 'loadbearing:hydra-config:job'

/** Runs each job in a thread of its own, `n_jobs` at once. A job in a thread cannot change the current directory. */
export const workerThreadsLauncher: Launcher = {
  name: 'worker_threads',
  target: 'loadbearing.hydra_config.WorkerThreadsLauncher',
  config: configOf('WorkerThreadsLauncher'),
  where: 'in worker threads',
  launch: (jobs, context) => {
    for (const job of jobs) ensureNoChdir(job.compose())
    return launchEach(jobs, context, inThread)
  },
}

/** Runs each job in a process of its own, `n_jobs` at once. */
export const childProcessLauncher: Launcher = {
  name: 'child_process',
  target: 'loadbearing.hydra_config.ChildProcessLauncher',
  config: configOf('ChildProcessLauncher'),
  where: 'in child processes',
  launch: (jobs, context) => launchEach(jobs, context, inProcess),
}

function configOf(name: string): string {
  return `_target_: loadbearing.hydra_config.${name}\n# null for as many as there are processors\nn_jobs: null\n`
}

/** The job that this thread or process was launched for; undefined where it was not. */
export function launchedJob(): LaunchedJob | undefined {
  if (!isMainThread) return jobIn(workerData)
  const text = process.send === undefined ? undefined : process.env[marker]
  // What the task starts is not to inherit it.
  delete process.env[marker]
  return text === undefined ? undefined : jobIn({ [marker]: JSON.parse(text) })
}

/** Ends a launched process when its launcher does. */
export function followLauncher(): void {
  if (isMainThread) process.once('disconnect', leave)
}

function leave(): void {
  process.exit(1)
}

/** Hands the result of a launched job to its launcher. */
export async function sendResult(result: LaunchedResult): Promise<void> {
  if (!isMainThread) {
    parentPort?.postMessage(result)
    return
  }
  await new Promise<void>((resolve, reject) => {
    process.send?.(result, undefined, {}, (error) => (error === null ? resolve() : reject(error)))
  })
  process.off('disconnect', leave)
  process.disconnect?.()
}

type RunElsewhere = (job: LaunchedJob) => Promise<LaunchedResult>

async function launchEach(
  jobs: readonly PlannedJob[],
  { master, announce, flags }: LaunchContext,
  run: RunElsewhere,
): Promise<readonly JobOutcome[]> {
  const done: JobOutcome[] = []
  const waiting = jobs.entries()
  const worker = async (): Promise<void> => {
    for (const [index, job] of waiting) {
      announce(job)
      const config = job.compose()
      const overrides = taskOverridesOf(config.root)
      const { status, returnValue } = await run(launchedOf(job.num, config, flags))
      done[index] = { status, returnValue, overrides }
    }
  }
  const count = Math.min(jobs.length, concurrency(master))
  await Promise.all(Array.from({ length: count }, worker))
  return done
}

function ensureNoChdir(config: LaunchContext['master']): void {
  const chdir = config.select('hydra.job.chdir')
  if (chdir?.kind !== 'scalar' || chdir.value !== true) return
  throw new HydraConfigError(
    'SWEEP',
    'hydra.job.chdir is true, and a thread has no current directory of its own: use hydra/launcher=child_process',
    { path: 'hydra.job.chdir', origin: chdir.origin },
  )
}

function concurrency(master: LaunchContext['master']): number {
  const given = hydraAt(master.root, 'launcher.n_jobs')
  if (given === undefined || (given.kind === 'scalar' && given.value === null)) return availableParallelism()
  if (given.kind === 'scalar' && typeof given.value === 'bigint' && given.value > 0n)
    return Number(given.value)
  throw new HydraConfigError('SWEEP', 'hydra.launcher.n_jobs must be null or an integer of at least 1', {
    path: 'hydra.launcher.n_jobs',
  })
}

/** What whoever runs a job elsewhere has to be told: `app.runJob` does it. */
export function launchedOf(num: number, config: RunConfig, flags: readonly string[]): LaunchedJob {
  return { flags, num, overrides: config.job.entries.map(entryText), times: [...config.times] }
}

function inThread(job: LaunchedJob): Promise<LaunchedResult> {
  const worker = new Worker(programPath(), { argv: process.argv.slice(2), workerData: { [marker]: job } })
  return new Promise((resolve, reject) => {
    worker.once('message', (result: LaunchedResult) => resolve(result))
    worker.once('error', reject)
    worker.once('exit', (code) => reject(endedEarly(`thread of job ${job.num}`, `status ${code}`)))
  })
}

function inProcess(job: LaunchedJob): Promise<LaunchedResult> {
  const child = fork(programPath(), process.argv.slice(2), {
    env: { ...process.env, [marker]: JSON.stringify(job) },
    serialization: 'advanced',
  })
  return new Promise((resolve, reject) => {
    child.once('message', (result: LaunchedResult) => resolve(result))
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      reject(endedEarly(`process of job ${job.num}`, signal ?? `status ${String(code)}`))
    })
  })
}

function endedEarly(what: string, how: string): HydraConfigError {
  return new HydraConfigError('JOB_LOST', `the ${what} ended by ${how} before it told what came of it`)
}

function programPath(): string {
  const program = process.argv[1]
  if (program !== undefined) return program
  throw new HydraConfigError(
    'INVALID_OPTION',
    'jobs can be launched elsewhere only by a program that is a file',
  )
}

function jobIn(data: unknown): LaunchedJob | undefined {
  if (typeof data !== 'object' || data === null || !(marker in data)) return undefined
  const job = data[marker]
  return isLaunchedJob(job) ? job : undefined
}

export function isLaunchedJob(job: unknown): job is LaunchedJob {
  if (typeof job !== 'object' || job === null) return false
  const { flags, num, overrides, times }: Partial<Record<keyof LaunchedJob, unknown>> = job
  return (
    isTexts(flags) &&
    Number.isSafeInteger(num) &&
    Number(num) >= 0 &&
    isTexts(overrides) &&
    Array.isArray(times) &&
    times.every((time) => isTexts(time) && time.length === 2)
  )
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}
