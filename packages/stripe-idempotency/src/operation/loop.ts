import type { Clock } from '../ports.ts'

/** What is done again and again. */
export interface Task {
  /** Milliseconds between two rounds. */
  readonly every: number
  /** @returns whether there is more to do at once */
  round(): Promise<boolean>
}

const pauseMax = 60_000

/** Does a task again and again, one round at a time, until it is told to stop; after failures at longer and longer intervals. */
export class Loop {
  /** Resolves once nothing of it is left. */
  readonly ended: Promise<void>

  constructor(clock: Clock, task: Task, stop: AbortSignal, onFailure: (error: unknown) => void) {
    this.ended = run(clock, task, stop, onFailure)
  }
}

async function run(
  clock: Clock,
  task: Task,
  stop: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<void> {
  let failures = 0
  while (!stop.aborted) {
    let more = false
    try {
      more = await task.round()
      failures = 0
    } catch (error) {
      failures++
      onFailure(error)
    }
    if (more) continue
    await pause(clock, Math.min(pauseMax, task.every * 2 ** Math.min(failures, 20)), stop)
  }
}

function pause(clock: Clock, ms: number, stop: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (stop.aborted) return Promise.resolve()
  const handle = clock.setTimeout(resolve, ms)
  const wake = (): void => {
    clock.clearTimeout(handle)
    resolve()
  }
  stop.addEventListener('abort', wake, { once: true })
  return promise.finally(() => stop.removeEventListener('abort', wake))
}
