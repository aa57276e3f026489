import { AsyncLocalStorage } from 'node:async_hooks'
import { HarnessError } from '../errors.ts'
import { deriveSeed, type SeededRandom, seededRandom } from './seeded-random.ts'
import { observableTask, type Task, type TaskState } from './task.ts'
import { Trace } from './trace.ts'
import { VirtualClock, type VirtualTimer } from './virtual-clock.ts'

// Taken at load: a test may have put fake ones in their place when a run starts.
const { nextTick } = process
const { setImmediate } = globalThis

/** Steps between two turns of the real event loop, so that signals and messages still reach the process. */
const stepsPerTurn = 4096

/** Something that can go on now. Which of them does is the choice of the schedule. */
interface Ready {
  readonly task: TaskState
  readonly event: string
  readonly label: string
  readonly resume: () => void
  /** The timer behind it, which may be cleared between being due and being run. */
  readonly timer?: VirtualTimer
}

const currentTask = new AsyncLocalStorage<TaskState>()

/**
 * One run: tasks that resume one at a time, the next one chosen by the seed, and time that moves when none is ready.
 *
 * Own code, not the scheduler of fast-check: that one lives inside a property, knows no time, no end of steps and no
 * deadlock, and orders promises, where here due timers and starting tasks are to be ordered too. The choices come
 * from its generator.
 */
export class Run {
  readonly trace: Trace = new Trace()
  readonly clock: VirtualClock
  readonly random: SeededRandom
  readonly #schedule: SeededRandom
  readonly #maxSteps: number
  readonly #ready: Ready[] = []
  readonly #unfinished = new Set<TaskState>()
  readonly #failed: { readonly task: TaskState; readonly reason: unknown }[] = []
  readonly #namesUsed = new Map<string, number>()
  readonly #main: TaskState
  #steps = 0
  /** What a timer, a promise without a handler or the body threw. */
  #failure: { readonly reason: unknown } | undefined
  #over = false

  constructor(seed: number, startTime: number, maxSteps: number) {
    this.#maxSteps = maxSteps
    this.random = seededRandom(deriveSeed(seed, 1))
    this.#schedule = seededRandom(deriveSeed(seed, 2))
    this.clock = new VirtualClock(startTime, (timer) => this.#timerDue(timer))
    this.#main = this.#newTask('main')
  }

  /** Runs `body` and all that it spawns to the end; throws the first failure. */
  async execute(body: () => unknown): Promise<void> {
    const onUnhandled = (reason: unknown): void => this.#fail(reason)
    process.on('unhandledRejection', onUnhandled)
    try {
      const finished = this.#start(this.#main, body)
      finished.catch((reason: unknown) => this.#fail(reason))
      await this.#drive()
    } finally {
      this.#over = true
      process.off('unhandledRejection', onUnhandled)
    }
  }

  spawn<T>(name: string, work: () => T | PromiseLike<T>): Task<T> {
    if (typeof name !== 'string' || typeof work !== 'function') {
      throw new HarnessError(
        'BAD_OPTION',
        `spawn(name, work) needs a string and a function, but got ${typeof name} and ${typeof work}`,
      )
    }
    const state = this.#newTask(name)
    const result = this.#start(state, work)
    result.catch((reason: unknown) => {
      this.#failed.push({ task: state, reason })
    })
    return observableTask(state, result)
  }

  /** Resolves at a moment that the schedule chooses among all that is ready. */
  step(event: string, label: string): Promise<void> {
    return new Promise((resolve) => {
      this.#enqueue({ task: this.#current(), event, label, resume: resolve })
    })
  }

  sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (!(ms >= 0 && Number.isFinite(ms))) {
      throw new HarnessError(
        'BAD_OPTION',
        `clock.sleep(ms) needs a number of milliseconds from 0, but got ${String(ms)}`,
      )
    }
    const task = this.#current()
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        this.#enqueue({ task, event: 'abort', label: 'sleep', resume: () => reject(signal.reason) })
        return
      }
      const until = this.clock.monotonic() + Math.max(1, Math.trunc(ms))
      let timer: VirtualTimer
      const abort = (): void => {
        this.clock.clear(timer)
        this.#enqueue({ task, event: 'abort', label: 'sleep', resume: () => reject(signal?.reason) })
      }
      // A timer takes 2^31-1 ms at most, a sleep any number.
      const wait = (): void => {
        const left = until - this.clock.monotonic()
        if (left > 0) {
          timer = this.clock.schedule(task, wait, Math.min(left, 2 ** 31 - 1), 'sleep')
          return
        }
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      wait()
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  setTimeout(callback: () => void, delay: number): VirtualTimer {
    return this.clock.schedule(this.#current(), callback, delay, '')
  }

  record(event: string, text: string): void {
    this.#record(this.#current(), event, text)
  }

  #record(task: TaskState, event: string, text: string): void {
    this.trace.add(this.clock.monotonic(), task.name, event, text)
  }

  #current(): TaskState {
    return currentTask.getStore() ?? this.#main
  }

  #newTask(name: string): TaskState {
    const used = (this.#namesUsed.get(name) ?? 0) + 1
    this.#namesUsed.set(name, used)
    const unique = used === 1 ? name : `${name}#${used}`
    const task: TaskState = { name: unique, run: direct, lastEvent: 'not started', observed: false }
    // A snapshot costs nothing to enter; `currentTask.run` would build a context for each step.
    task.run = currentTask.run(task, () => AsyncLocalStorage.snapshot())
    this.#unfinished.add(task)
    return task
  }

  #start<T>(task: TaskState, work: () => T | PromiseLike<T>): Promise<T> {
    const started = new Promise<void>((resume) => {
      this.#enqueue({ task, event: 'start', label: '', resume })
    })
    const finish = (event: string, text: string): void => {
      this.#unfinished.delete(task)
      this.#record(task, event, text)
    }
    return task.run(() =>
      started.then(work).then(
        (value) => {
          finish('done', '')
          return value
        },
        (reason: unknown) => {
          finish('failed', describe(reason))
          throw reason
        },
      ),
    )
  }

  #fail(reason: unknown): void {
    this.#failure ??= { reason }
  }

  #enqueue(ready: Ready): void {
    // What a run left behind when it ended must not wake the next one.
    if (!this.#over) this.#ready.push(ready)
  }

  #timerDue(timer: VirtualTimer): void {
    const { task, callback, label } = timer
    this.#enqueue({ task, event: 'timer', label, timer, resume: callback })
  }

  /** Callbacks, not promises, between the steps: a promise for each would double the cost of a step. */
  #drive(): Promise<void> {
    return new Promise((resolve, reject) => {
      let settled = false
      const guarded = (turn: () => void) => (): void => {
        try {
          if (this.#failure !== undefined) throw this.#failure.reason
          turn()
        } catch (reason) {
          reject(reason)
        }
      }
      const turn = guarded(() => {
        if (this.#ready.length > 0) {
          settled = false
          this.#resumeOne()
          if (this.#steps % stepsPerTurn === 0) setImmediate(turn)
          else whenSettled(turn)
        } else if (!settled) {
          // Once more, for what `process.nextTick` of the code under test has put behind the first.
          settled = true
          whenSettled(turn)
        } else if (this.#unfinished.size > 0 && this.clock.advance()) {
          turn()
        } else {
          // A turn of the event loop, in which the process also learns of rejections without a handler.
          setImmediate(guarded(() => (this.#ready.length > 0 ? turn() : this.#end(resolve))))
        }
      })
      turn()
    })
  }

  #end(resolve: () => void): void {
    this.#throwUnobserved()
    if (this.#unfinished.size === 0) {
      resolve()
      return
    }
    throw new HarnessError(
      'SIMULATION_DEADLOCK',
      `deadlock: nothing is ready and no timer is set, but ${this.#waiting()}. ` +
        'What is awaited has to be settled by another task or by a timer of `clock` (real I/O counts as neither)',
    )
  }

  #resumeOne(): void {
    const chosen = this.#ready.length === 1 ? 0 : this.#schedule.integer(0, this.#ready.length - 1)
    const next = this.#ready[chosen] as Ready
    this.#ready[chosen] = this.#ready.at(-1) as Ready
    this.#ready.pop()
    if (next.timer?.cancelled === true) return
    if (this.#steps >= this.#maxSteps) {
      this.#throwUnobserved()
      throw new HarnessError(
        'SIMULATION_STEPS_EXCEEDED',
        `the run did not end within maxSteps = ${this.#maxSteps} steps: ${this.#waiting()}. ` +
          'Raise maxSteps if the work is that long, else end the loop',
      )
    }
    this.#steps++
    next.task.lastEvent = `${next.event} ${next.label}`.trimEnd()
    this.#record(next.task, next.event, next.label)
    // A promise brings its waiter's context along, a callback has none.
    if (next.timer === undefined) next.resume()
    else next.task.run(next.resume)
  }

  #throwUnobserved(): void {
    const unobserved = this.#failed.find(({ task }) => !task.observed)
    if (unobserved !== undefined) throw unobserved.reason
  }

  #waiting(): string {
    const shown = [...this.#unfinished].slice(0, 20).map((task) => `${task.name} (after: ${task.lastEvent})`)
    const more = this.#unfinished.size - shown.length
    const count = this.#unfinished.size === 1 ? '1 task waits' : `${this.#unfinished.size} tasks wait`
    return `${count}: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  }
}

/** Calls `turn` when no promise callback is left, so that one step is everything up to the next wait. */
function whenSettled(turn: () => void): void {
  // A tick asked for by another tick comes before promises, one asked for by a promise after all of them.
  void kept.then(() => nextTick(turn))
}

/** In place of `queueMicrotask`, which builds a resource for each call. */
const kept = Promise.resolve()

function direct<T>(work: () => T): T {
  return work()
}

export function describe(reason: unknown): string {
  if (reason instanceof Error) return `${reason.name}: ${reason.message}`
  try {
    return String(reason)
  } catch {
    return 'a value that cannot be printed'
  }
}
