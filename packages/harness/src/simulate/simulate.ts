import { randomInt } from 'node:crypto'
import { HarnessError, type HarnessErrorCode, isHarnessError } from '../errors.ts'
import { interleave } from './interleave.ts'
import type { Clock } from './ports.ts'
import { currentInvocation, type Invocation, replayCommand } from './replay-command.ts'
import { describe, Run } from './run.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Task } from './task.ts'

export interface SimulateOptions {
  /**
   * Seed of the first run, a whole number of [0, 2^32); the following runs take the numbers after it.
   * Default: a fresh random one. The environment variable `LOADBEARING_SEED` replaces it, and then there is one run.
   */
  readonly seed?: number
  /** How many runs, each with its own interleaving and random values. Default 100. */
  readonly runs?: number
  /** A run that resumes more often than this fails with SIMULATION_STEPS_EXCEEDED. Default 1,000,000. */
  readonly maxSteps?: number
  /** Wall time at which each run starts, milliseconds since 1970 UTC. Default: 2000-01-01T00:00:00Z. */
  readonly startTime?: number
}

/** The clock of a run. It moves only when no task is ready, and then to the next timer. */
export interface SimulatedClock extends Clock {
  /** Resolves after `ms` of monotonic time; rejects with the signal's reason when aborted. */
  sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Steps the wall clock by `ms` (negative: back). Monotonic time and timers stay as they are. */
  jump(ms: number): void
  /** Lets the wall clock gain (negative: lose) so many microseconds a second from now on. */
  drift(partsPerMillion: number): void
  /** How many timers wait: 0 after a disposal that forgot none. */
  readonly pending: number
}

/** What the body of a simulation works with. `clock` and `random` have the shapes that the packages' options take. */
export interface Simulation {
  /** Seed of this run. */
  readonly seed: number
  readonly clock: SimulatedClock
  readonly random: SeededRandom
  /** Starts a task at a moment that the schedule chooses. The run ends when the body and all tasks have ended. */
  spawn<T>(name: string, work: () => T | PromiseLike<T>): Task<T>
  /** A scheduling point: whatever else is ready may go first. `label` is for the trace. */
  step(label?: string): Promise<void>
  /** The same object; the answers of its async methods arrive at scheduling points. */
  interleave<T extends object>(target: T): T
  /** Writes a line to the trace. */
  log(message: string): void
}

export interface SimulationResult {
  /** Seed of the first run. */
  readonly seed: number
  /** Runs made. */
  readonly runs: number
  /** What happened in the last run, one line an event (the last 10,000): the same seed gives the same bytes. */
  readonly trace: string
}

interface Settings {
  readonly seed: number
  readonly runs: number
  readonly maxSteps: number
  readonly startTime: number
  readonly replayed: boolean
}

const tailLines = 30

/**
 * Runs `body` many times, each under another interleaving of its tasks, on a virtual clock and seeded randomness.
 * A failing run ends the simulation with a {@link HarnessError} whose message gives the seed and the command that
 * replays that run alone: SIMULATION_FAILED (`cause` is what was thrown), SIMULATION_DEADLOCK or
 * SIMULATION_STEPS_EXCEEDED.
 *
 * Only waits on the simulation's own operations, and on promises that they settle, are explored and repeatable;
 * real I/O is neither. A loop that never waits on the simulation cannot be stopped.
 */
export function simulate(
  options: SimulateOptions,
  body: (simulation: Simulation) => unknown,
): Promise<SimulationResult> {
  // Before the first wait: the stack still shows the caller.
  const invocation = currentInvocation(simulate)
  return runAll(options, body, invocation)
}

async function runAll(
  options: SimulateOptions,
  body: (simulation: Simulation) => unknown,
  invocation: Invocation,
): Promise<SimulationResult> {
  const settings = readOptions(options, process.env['LOADBEARING_SEED'])
  if (typeof body !== 'function') {
    throw new HarnessError(
      'BAD_OPTION',
      `simulate(options, body) needs a function as body, but got ${typeof body}`,
    )
  }
  let trace = ''
  for (let index = 0; index < settings.runs; index++) {
    const seed = (settings.seed + index) % 2 ** 32
    const run = new Run(seed, settings.startTime, settings.maxSteps)
    try {
      await run.execute(() => body(simulationOf(run, seed)))
    } catch (reason) {
      throw failure(reason, run, { seed, index, settings, invocation })
    }
    if (index === settings.runs - 1) trace = run.trace.toString()
  }
  return { seed: settings.seed, runs: settings.runs, trace }
}

function simulationOf(run: Run, seed: number): Simulation {
  const step = (label = ''): Promise<void> => run.step('step', label)
  return {
    seed,
    random: run.random,
    clock: {
      now: () => run.clock.now(),
      monotonic: () => run.clock.monotonic(),
      setTimeout: (callback, delay) => run.setTimeout(callback, delay),
      clearTimeout: (handle) => run.clock.clear(handle),
      sleep: (ms, options) => run.sleep(ms, options?.signal),
      jump: (ms) => {
        run.clock.jump(ms)
        run.record('jump', `${ms}`)
      },
      drift: (partsPerMillion) => {
        run.clock.drift(partsPerMillion)
        run.record('drift', `${partsPerMillion}`)
      },
      get pending() {
        return run.clock.pending
      },
    },
    spawn: (name, work) => run.spawn(name, work),
    step,
    interleave: (target) => interleave(target, (label) => run.step('answer', label)),
    log: (message) => run.record('log', message),
  }
}

function failure(
  reason: unknown,
  run: Run,
  place: { seed: number; index: number; settings: Settings; invocation: Invocation },
): HarnessError {
  const { seed, index, settings, invocation } = place
  const lines = settings.replayed ? run.trace.toString() : run.trace.last(tailLines)
  const what = settings.replayed ? 'the replayed run' : `run ${index + 1} of ${settings.runs}`
  return new HarnessError(
    codeOf(reason),
    [
      `simulate: ${what} failed: ${describe(reason)}`,
      `  seed    ${seed}`,
      `  replay  ${replayCommand(seed, invocation)}`,
      `  trace   (<monotonic ms> <task> <event> <text>)`,
      ...lines.split('\n').map((line) => `    ${line}`),
    ].join('\n'),
    { cause: reason },
  )
}

function codeOf(reason: unknown): HarnessErrorCode {
  const ownCode = isHarnessError(reason) ? reason.code : undefined
  return ownCode === 'SIMULATION_DEADLOCK' || ownCode === 'SIMULATION_STEPS_EXCEEDED'
    ? ownCode
    : 'SIMULATION_FAILED'
}

function readOptions(options: SimulateOptions, replayedSeed: string | undefined): Settings {
  if (typeof options !== 'object' || options === null) {
    const received = options === null ? 'null' : typeof options
    throw new HarnessError(
      'BAD_OPTION',
      `simulate(options, body) needs an object as options, but got ${received}`,
    )
  }
  const {
    seed = randomInt(2 ** 32),
    runs = 100,
    maxSteps = 1_000_000,
    startTime = Date.UTC(2000, 0, 1),
  } = options
  whole('seed', seed, 0, 2 ** 32 - 1)
  whole('runs', runs, 1, 2 ** 32)
  whole('maxSteps', maxSteps, 1, Number.MAX_SAFE_INTEGER)
  whole('startTime', startTime, -8.64e15, 8.64e15)
  if (replayedSeed === undefined) return { seed, runs, maxSteps, startTime, replayed: false }
  if (!/^\d{1,10}$/.test(replayedSeed)) {
    throw new HarnessError(
      'BAD_OPTION',
      `the environment variable LOADBEARING_SEED needs a whole number of [0, 2^32), but is ${JSON.stringify(replayedSeed)}`,
    )
  }
  whole('the environment variable LOADBEARING_SEED', Number(replayedSeed), 0, 2 ** 32 - 1)
  return { seed: Number(replayedSeed), runs: 1, maxSteps, startTime, replayed: true }
}

function whole(name: string, value: unknown, min: number, max: number): void {
  if (Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max) return
  throw new HarnessError(
    'BAD_OPTION',
    `simulate: ${name} needs a whole number of [${min}, ${max}], but got ${String(value)}`,
  )
}
