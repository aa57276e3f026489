/** What sliced building needs from outside. */
export interface Scheduler {
  /** Monotonic time in milliseconds. */
  now(): number
  /** Runs `task` soon, after other work of the event loop. */
  defer(task: () => void): void
}

export const realScheduler: Scheduler = {
  now: () => performance.now(),
  defer: (task) => {
    setImmediate(task)
  },
}
