/**
 * A spawned task. Await it (or hand it to `Promise.all`) for its value; a failure that nobody awaits fails the run.
 */
export interface Task<T> extends PromiseLike<T> {
  /** The name given, made unique by a suffix: `worker`, `worker#2`, … */
  readonly name: string
}

/** What the scheduler knows of a task. */
export interface TaskState {
  readonly name: string
  /** Calls `work` in the asynchronous context of the task. */
  run: <T>(work: () => T) => T
  /** The last thing that it resumed from, for the list of those that wait. */
  lastEvent: string
  /** Somebody has asked for the outcome and will see a failure. */
  observed: boolean
}

/** A thenable rather than a promise: only so is it known whether anyone looks at the outcome. */
export function observableTask<T>(state: TaskState, result: Promise<T>): Task<T> {
  return {
    name: state.name,
    // oxlint-disable-next-line unicorn/no-thenable -- `await task` has to pass here
    then(onFulfilled, onRejected) {
      state.observed = true
      return result.then(onFulfilled, onRejected)
    },
  }
}
