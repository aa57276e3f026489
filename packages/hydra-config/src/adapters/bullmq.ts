import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type ConnectionOptions, type Job, type JobsOptions, Queue } from 'bullmq'
import type { LaunchedJob } from '../cli/app-call.ts'
import { HydraConfigError } from '../errors.ts'
import { taskOverridesOf } from '../job/hydra-node.ts'
import type { JobOutcome, LaunchContext, Launcher, PlannedJob } from '../job/launcher.ts'
import type { RunConfig } from '../job/run-config.ts'
import { shown } from '../shown.ts'
import { plainCopy } from '../value/plain.ts'
import type { App } from './app.ts'
import { launchedOf } from './launchers.ts'

/** Options of {@link bullmqLauncher}. */
export interface BullMQLauncherOptions {
  /** How to reach Redis, in the place of `hydra.launcher.redis`. */
  readonly connection?: ConnectionOptions
}

const target = 'loadbearing.hydra_config.BullMQLauncher'

/** How often a broken connection is made anew, each time a little later; about four seconds in all. */
const reconnections = 6

/** Milliseconds after which a Redis that is connected and does not answer is given up. */
const commandTimeout = 10_000

/** What BullMQ takes for a job that makes one of several, or several of one. */
const notOfOneJob = ['jobId', 'deduplication', 'debounce', 'repeat']

/**
 * Puts the jobs of a multirun into a queue of BullMQ 6: `hydra/launcher=bullmq`. Workers are programs of yours, on any
 * machine, whose processor is {@link bullmqProcessor}. Its configuration has the names of Hydra's launcher for RQ:
 *
 * - `queue`, and `redis` with `host`, `port`, `db` and `password`;
 * - `enqueue`: what BullMQ takes for a job, such as `attempts`, `backoff`, `priority`; not what makes one of several
 *   jobs, or several of one (`jobId`, `deduplication`, `repeat`). With `removeOnComplete: true` or
 *   `removeOnFail: true` a job is removed when what came of it has been read;
 * - `stop_after_enqueue`: ends when all jobs are in the queue, and does not wait for what comes of them;
 * - `wait_polling`: seconds from one look at the jobs to the next.
 *
 * A job that throws has failed when its attempts are over. One whose worker dies is given to another worker, as BullMQ
 * does with stalled jobs. What goes wrong here leaves the jobs in the queue.
 */
export function bullmqLauncher({ connection }: BullMQLauncherOptions = {}): Launcher {
  return {
    name: 'bullmq',
    target,
    config: [
      `_target_: ${target}`,
      'queue: default',
      'redis:',
      '  host: ${oc.env:REDIS_HOST,localhost}',
      '  port: ${oc.env:REDIS_PORT,6379}',
      '  db: ${oc.env:REDIS_DB,0}',
      '  password: ${oc.env:REDIS_PASSWORD,null}',
      'enqueue:',
      '  attempts: 1',
      'stop_after_enqueue: false',
      'wait_polling: 1.0',
      '',
    ].join('\n'),
    where: 'on a queue of BullMQ',
    launch: (jobs, context) => launch(jobs, context, connection),
  }
}

/**
 * The processor of a worker for the jobs of an app.
 *
 * @example new Worker('default', bullmqProcessor(app), { connection })
 */
export function bullmqProcessor(app: App): (job: Pick<Job<LaunchedJob>, 'data'>) => Promise<unknown> {
  return async ({ data }) => {
    const { status, returnValue } = await app.runJob(data)
    if (status === 'COMPLETED') return returnValue
    // Of what is no error BullMQ tells nothing, and a job that threw null it would give to another worker.
    throw returnValue instanceof Error ? returnValue : new Error(String(returnValue))
  }
}

interface Settings {
  readonly queue: string
  readonly redis: {
    readonly host: string
    readonly port: number
    readonly db: number
    readonly password?: string
  }
  readonly enqueue: JobsOptions
  /** Whether a job of that end is removed from the queue when its end is known. */
  readonly isRemoved: Readonly<Record<JobOutcome['status'], boolean>>
  readonly stopAfterEnqueue: boolean
  /** Milliseconds. */
  readonly waitPolling: number
}

async function launch(
  jobs: readonly PlannedJob[],
  { master, announce, flags, log }: LaunchContext,
  connection: ConnectionOptions | undefined,
): Promise<readonly JobOutcome[]> {
  const settings = settingsOf(master)
  const queue = new Queue<LaunchedJob>(settings.queue, {
    connection: connection ?? {
      ...settings.redis,
      maxRetriesPerRequest: null,
      retryStrategy,
      commandTimeout,
    },
  })
  let disconnected: Error | undefined
  // What waits for the connection fails in the end, and does not tell why.
  queue.on('error', (error) => {
    disconnected = error
  })
  try {
    await queue.waitUntilReady()
    const sent: Sent[] = []
    for (const job of jobs) {
      announce(job)
      const config = job.compose()
      // An id of ours: where the connection breaks meanwhile, a job that is sent again is the same one.
      const id = randomUUID()
      await queue.add('hydra', launchedOf(job.num, config, flags), { ...settings.enqueue, jobId: id })
      sent.push({ id, num: job.num, overrides: taskOverridesOf(config.root) })
    }
    if (!settings.stopAfterEnqueue) return await outcomesOf(queue, sent, settings)
    log.logger(target).info('Jobs are enqueued, and not waited for')
    return []
  } catch (cause) {
    if (cause instanceof HydraConfigError) throw cause
    throw queueFailed(settings.queue, disconnected ?? cause)
  } finally {
    await queue.close().catch(() => undefined)
  }
}

function queueFailed(queue: string, error: unknown): HydraConfigError {
  const told = error instanceof Error ? error.message || error.name : String(error)
  return new HydraConfigError('QUEUE_FAILED', `the queue '${queue}' failed: ${told}`, { cause: error })
}

/** @throws {HydraConfigError} `SWEEP` */
function settingsOf(master: RunConfig): Settings {
  const password = master.select('hydra.launcher.redis.password')
  const enqueue = enqueueOf(master)
  const stopAfterEnqueue = master.text('hydra.launcher.stop_after_enqueue') === 'True'
  return {
    queue: master.text('hydra.launcher.queue'),
    redis: {
      host: master.text('hydra.launcher.redis.host'),
      port: numberAt(master, 'hydra.launcher.redis.port', 65_535),
      db: numberAt(master, 'hydra.launcher.redis.db', 2 ** 31 - 1),
      ...(password?.kind === 'scalar' && password.value !== null ? { password: String(password.value) } : {}),
    },
    enqueue: stopAfterEnqueue ? enqueue : { ...enqueue, ...kept(enqueue) },
    isRemoved: { COMPLETED: enqueue.removeOnComplete === true, FAILED: enqueue.removeOnFail === true },
    stopAfterEnqueue,
    waitPolling: 1000 * numberAt(master, 'hydra.launcher.wait_polling', 86_400),
  }
}

/** @throws {HydraConfigError} `SWEEP` */
function enqueueOf(master: RunConfig): JobsOptions {
  const path = 'hydra.launcher.enqueue'
  const found = master.resolved(path)
  if (found?.kind !== 'map') return {}
  const wrong = notOfOneJob.find((key) => found.entries.has(key))
  if (wrong === undefined) return Object(plainCopy(found))
  throw new HydraConfigError('SWEEP', `${path}.${wrong} would not put each job into the queue once`, {
    path: `${path}.${wrong}`,
  })
}

/** What would remove a job at its end keeps it until its end is read. */
function kept({ removeOnComplete, removeOnFail }: JobsOptions): JobsOptions {
  return {
    ...(removeOnComplete === true ? { removeOnComplete: false } : {}),
    ...(removeOnFail === true ? { removeOnFail: false } : {}),
  }
}

function numberAt(master: RunConfig, path: string, most: number): number {
  const text = master.text(path)
  const found = text === '' ? Number.NaN : Number(text)
  if (found >= 0 && found <= most) return found
  throw new HydraConfigError('SWEEP', `${path} must be a number from 0 to ${most}, not ${shown(text)}`, {
    path,
  })
}

function retryStrategy(times: number): number | null {
  return times > reconnections ? null : 200 * times
}

interface Sent {
  readonly id: string
  readonly num: number
  readonly overrides: readonly string[]
}

async function outcomesOf(
  queue: Queue<LaunchedJob>,
  sent: readonly Sent[],
  { isRemoved, waitPolling }: Settings,
): Promise<readonly JobOutcome[]> {
  const done: JobOutcome[] = []
  let waiting = [...sent.entries()]
  for (;;) {
    const still: typeof waiting = []
    for (const [index, job] of waiting) {
      const outcome = await outcomeOf(queue, job)
      if (outcome === undefined) still.push([index, job])
      else done[index] = outcome
      if (outcome !== undefined && isRemoved[outcome.status]) await queue.remove(job.id)
    }
    if (still.length === 0) return done
    waiting = still
    await pause(waitPolling)
  }
}

/** Undefined while nothing has come of it. */
async function outcomeOf(
  queue: Queue<LaunchedJob>,
  { id, num, overrides }: Sent,
): Promise<JobOutcome | undefined> {
  const state = await queue.getJobState(id)
  if (state === 'unknown') throw lost(num)
  if (state !== 'completed' && state !== 'failed') return undefined
  // What was read before the job ended does not have its end.
  const job = await queue.getJob(id)
  if (job === undefined) throw lost(num)
  if (state === 'completed') return { status: 'COMPLETED', returnValue: job.returnvalue, overrides }
  return { status: 'FAILED', returnValue: errorOf(job), overrides }
}

function errorOf({ failedReason, stacktrace }: Job): Error {
  const error = new Error(failedReason)
  // That of the worker tells where it was thrown; the last one need not be of what a job failed of in the end.
  const stack: string | undefined = stacktrace?.at(-1)
  if (stack?.includes(failedReason) === true) error.stack = stack
  return error
}

function lost(num: number): HydraConfigError {
  return new HydraConfigError(
    'JOB_LOST',
    `job ${num} was removed from the queue before it told what came of it`,
  )
}
