import { setTimeout as pause } from 'node:timers/promises'
import { type ConnectionOptions, type Job, type JobsOptions, Queue } from 'bullmq'
import type { LaunchedJob } from '../cli/command-line.ts'
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

/**
 * Puts the jobs of a multirun into a queue of BullMQ 6: `hydra/launcher=bullmq`. Workers are programs of yours, on any
 * machine, whose processor is {@link bullmqProcessor}. Its configuration has the names of Hydra's launcher for RQ:
 *
 * - `queue`, and `redis` with `host`, `port`, `db` and `password`;
 * - `enqueue`: what BullMQ takes for a job, such as `attempts`, `backoff`, `priority`, `removeOnComplete`;
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
    if (status === 'FAILED') throw returnValue
    return returnValue
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
    connection: connection ?? { ...settings.redis, maxRetriesPerRequest: 1, retryStrategy },
  })
  // What is wrong with the connection is told by whatever waits for it.
  queue.on('error', () => undefined)
  try {
    await queue.waitUntilReady()
    const sent: Sent[] = []
    for (const job of jobs) {
      announce(job)
      const config = job.compose()
      const { id } = await queue.add('hydra', launchedOf(job.num, config, flags), settings.enqueue)
      if (id === undefined) throw new TypeError('a job of BullMQ has an id')
      sent.push({ id, num: job.num, overrides: taskOverridesOf(config.root) })
    }
    if (!settings.stopAfterEnqueue) return await outcomesOf(queue, sent, settings.waitPolling)
    log.logger(target).info('Jobs are enqueued, and not waited for')
    return []
  } catch (cause) {
    if (cause instanceof HydraConfigError) throw cause
    const told = cause instanceof Error ? cause.message || cause.name : String(cause)
    throw new HydraConfigError('QUEUE_FAILED', `the queue '${settings.queue}' failed: ${told}`, { cause })
  } finally {
    await queue.close().catch(() => undefined)
  }
}

/** @throws {HydraConfigError} `SWEEP` */
function settingsOf(master: RunConfig): Settings {
  const password = master.select('hydra.launcher.redis.password')
  const enqueue = master.resolved('hydra.launcher.enqueue')
  return {
    queue: master.text('hydra.launcher.queue'),
    redis: {
      host: master.text('hydra.launcher.redis.host'),
      port: numberAt(master, 'hydra.launcher.redis.port'),
      db: numberAt(master, 'hydra.launcher.redis.db'),
      ...(password?.kind === 'scalar' && password.value !== null ? { password: String(password.value) } : {}),
    },
    enqueue: enqueue?.kind === 'map' ? Object(plainCopy(enqueue)) : {},
    stopAfterEnqueue: master.text('hydra.launcher.stop_after_enqueue') === 'True',
    waitPolling: 1000 * numberAt(master, 'hydra.launcher.wait_polling'),
  }
}

function numberAt(master: RunConfig, path: string): number {
  const text = master.text(path)
  const found = Number(text)
  if (found >= 0) return found
  throw new HydraConfigError('SWEEP', `${path} must be a number of at least 0, not ${shown(text)}`, { path })
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
  waitPolling: number,
): Promise<readonly JobOutcome[]> {
  const done: JobOutcome[] = []
  let waiting = [...sent.entries()]
  for (;;) {
    const still: typeof waiting = []
    for (const [index, job] of waiting) {
      const outcome = await outcomeOf(queue, job)
      if (outcome === undefined) still.push([index, job])
      else done[index] = outcome
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
  const job = await queue.getJob(id)
  if (job === undefined)
    throw new HydraConfigError(
      'JOB_LOST',
      `job ${num} was removed from the queue before it told what came of it`,
    )
  const state = await job.getState()
  if (state !== 'completed' && state !== 'failed') return undefined
  // What was read before the job ended does not have its end.
  const { returnvalue, failedReason } = (await queue.getJob(id)) ?? job
  if (state === 'completed') return { status: 'COMPLETED', returnValue: returnvalue, overrides }
  return { status: 'FAILED', returnValue: new Error(failedReason), overrides }
}
