import type { Repository } from '../defaults/repository.ts'
import { HydraConfigError } from '../errors.ts'
import { parseOverride } from '../override/parse.ts'
import type { Random } from '../ports.ts'
import { planJobs, type SweepPlan } from '../sweep/plan.ts'
import { paramsOf } from '../sweep/sweep.ts'
import { redact } from '../value/secret.ts'
import type { Value } from '../value/value.ts'
import { dumpYaml } from '../yaml/dump.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { entryText, hydraAt, isOfHydra } from './hydra-node.ts'
import type { JobConfig } from './job-config.ts'
import type { JobOutcome, LaunchContext, Launcher, PlannedJob } from './launcher.ts'
import type { RunConfig } from './run-config.ts'

/** How many jobs are planned at once. */
const maxJobs = 1_000_000

const basicSweeper = 'hydra._internal.core_plugins.basic_sweeper.BasicSweeper'

export interface MultirunOptions extends Omit<LaunchContext, 'announce'> {
  readonly launchers: readonly Launcher[]
  /** Composes one job from its overrides, those of Hydra's own configuration included. */
  readonly composeJob: (overrides: readonly string[]) => JobConfig
  readonly random: Random
  /** What globs choose from. */
  readonly globbed: Pick<Repository, 'options'>
}

/**
 * Runs the jobs of Hydra's basic sweeper in its batches; that every job of a batch can be composed is seen before the
 * first of them runs. As in Hydra nothing of it is kept: however many jobs there are, the memory is that of one.
 * @throws {HydraConfigError} `SWEEP` for a sweeper or launcher that is not there, or a sweep that cannot be enumerated
 */
export async function runMultirun(options: MultirunOptions): Promise<void> {
  const { master, platform, log, composeJob } = options
  const launcher = launcherOf(options)
  ensureBasicSweeper(master)
  const plan = planOf(options)
  const sweepDir = platform.resolve(master.text('hydra.sweep.dir'))
  platform.files.makeFolder(sweepDir)
  platform.files.writeFile(`${sweepDir}/multirun.yaml`, dumpYaml(redact(master.root)))
  const ofHydra = master.job.entries.filter(isOfHydra).map(entryText)
  const composed = (overrides: readonly string[]): JobConfig => composeJob([...ofHydra, ...overrides])
  let first = 0
  for (const batch of batches(plan, batchSize(master))) {
    const texts = batch.map((overrides) => textOfTask(composed(overrides)))
    const planned = batch.map(
      (overrides, index): PlannedJob => ({
        num: first + index,
        overrides,
        compose: () => master.ofJob(composed(overrides)),
      }),
    )
    log.configure(master.resolved('hydra.hydra_logging'), master.resolved('hydra.verbose'))
    const own = log.logger(launcher.target)
    own.info(`Launching ${planned.length} jobs ${launcher.where}`)
    const before = first
    const announce = ({ num }: PlannedJob): void => own.info(`\t#${num} : ${texts[num - before]}`)
    const results = await launcher.launch(planned, { ...options, announce })
    const failed = results.find(({ status }) => status === 'FAILED')
    if (failed !== undefined) throw new FailedJob(failed)
    first += batch.length
  }
}

/** Without what is secret in it. */
function textOfTask({ entries }: JobConfig): string {
  return entries.flatMap((entry) => (isOfHydra(entry) ? [] : entry.text)).join(' ')
}

/** A task threw: `cause` is what it threw. */
export class FailedJob extends Error {
  readonly job: JobOutcome

  constructor(job: JobOutcome) {
    super('a job failed', { cause: job.returnValue })
    this.job = job
  }
}

function launcherOf({ master, launchers }: MultirunOptions): Launcher {
  const target = master.text('hydra.launcher._target_')
  const found = launchers.find((each) => each.target === target)
  if (found !== undefined) {
    ensureKeys(master, 'hydra.launcher', keysOf(parseYaml(found.config)))
    return found
  }
  const names = launchers.map(({ name }) => name).join(', ')
  throw new HydraConfigError(
    'SWEEP',
    `the launcher '${target}' is not in this app: choose one of ${names} by hydra/launcher=<name>`,
    { class: 'InstantiationException', path: 'hydra.launcher' },
  )
}

function ensureBasicSweeper(master: RunConfig): void {
  const target = master.text('hydra.sweeper._target_')
  if (target === basicSweeper) return ensureKeys(master, 'hydra.sweeper', ['max_batch_size', 'params'])
  throw new HydraConfigError('SWEEP', `the sweeper '${target}' is not in this app: use hydra/sweeper=basic`, {
    class: 'InstantiationException',
    path: 'hydra.sweeper',
  })
}

/** A launcher or sweeper takes no parameters that it does not know. */
function ensureKeys(master: RunConfig, path: string, known: readonly string[]): void {
  const config = hydraAt(master.root, path.slice('hydra.'.length))
  const unknown =
    config === undefined
      ? undefined
      : keysOf(config).find((key) => !key.startsWith('_') && !known.includes(key))
  if (unknown === undefined) return
  throw new HydraConfigError(
    'SWEEP',
    `${path} has the parameter '${unknown}', which its target does not take`,
    {
      class: 'InstantiationException',
      path: `${path}.${unknown}`,
    },
  )
}

function keysOf(value: Value): readonly string[] {
  return value.kind === 'map' ? [...value.entries.keys()].map(String) : []
}

/** How many jobs are launched at once; undefined for all. */
function batchSize(master: RunConfig): number | undefined {
  const size = hydraAt(master.root, 'sweeper.max_batch_size')
  if (size === undefined || (size.kind === 'scalar' && size.value === null)) return undefined
  if (size.kind === 'scalar' && typeof size.value === 'bigint' && size.value > 0n) return Number(size.value)
  throw new HydraConfigError(
    'SWEEP',
    'hydra.sweeper.max_batch_size must be null or an integer of at least 1',
    {
      class: 'AssertionError',
      path: 'hydra.sweeper.max_batch_size',
    },
  )
}

function planOf({ master, random, globbed: repository }: MultirunOptions): SweepPlan {
  const { entries } = master.job
  const params = paramsOf(master.root).map((text) => parseOverride(text, { random }))
  const ofTask = entries.filter((entry) => !isOfHydra(entry))
  return planJobs([...params, ...ofTask], { repository, random })
}

/** All at once where no size is given. */
function* batches(plan: SweepPlan, size = maxJobs): Generator<readonly (readonly string[])[]> {
  let batch: (readonly string[])[] = []
  for (const job of plan) {
    if (batch.length === size) {
      if (size === maxJobs) {
        const advice = 'give hydra.sweeper.max_batch_size'
        throw new HydraConfigError('SWEEP', `the sweep has more than ${maxJobs} jobs: ${advice}`, {
          class: 'MemoryError',
        })
      }
      yield batch
      batch = []
    }
    batch.push(job)
  }
  // Where nothing is swept and no size is given, Hydra launches no jobs and says so.
  if (batch.length > 0 || size === maxJobs) yield batch
}
