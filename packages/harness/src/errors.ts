/** What went wrong, as a closed set: `switch (error.code)` is exhaustive. */
export type HarnessErrorCode =
  /** An option, seed or argument is not what its documentation asks for. */
  | 'BAD_OPTION'
  /** `simulate`: the body, a spawned task or a timer threw; `cause` is what was thrown. */
  | 'SIMULATION_FAILED'
  /** `simulate`: tasks wait, and no timer or ready task can wake them. */
  | 'SIMULATION_DEADLOCK'
  /** `simulate`: the run took more steps than `maxSteps`. */
  | 'SIMULATION_STEPS_EXCEEDED'
  /** `/history`: an operation was completed twice, or does not belong to the history. */
  | 'HISTORY_MISUSED'
  /** `/history`: the history is not what the check asked of it. */
  | 'HISTORY_VIOLATED'
  /** `/history`: the search for a linearization visited more states than `maxStates`. */
  | 'SEARCH_LIMIT_EXCEEDED'
  /** `/conformance`: a line is no command, or a field of it is not what the operation asks for. */
  | 'BAD_COMMAND'
  /** `/oracle`: the program gave no answer in time and was killed. */
  | 'ORACLE_TIMED_OUT'
  /** `/oracle`: the program could not be started, or ended before it answered. */
  | 'ORACLE_DIED'
  /** `/oracle`: what the program wrote is no JSON line, or longer than the limit. */
  | 'ORACLE_GARBLED'
  /** `/bench`: subjects answer the same case differently, or break the invariant; nothing was timed. */
  | 'ANSWERS_DIFFER'
  /** `/bench`: a subject broke down; of the baseline it ends the comparison, for no ratio can be given. */
  | 'SUBJECT_FAILED'
  /** `/faults`: a condition did not come true, or a process did not get ready, in its time. */
  | 'TIMED_OUT'
  /** `/faults`: the process ended while something was still awaited from it. */
  | 'PROCESS_ENDED'
  /** `/faults`: the TCP proxy could not listen on its port. */
  | 'PROXY_NOT_LISTENING'
  /** `/services`: neither an address nor a program to start was found. */
  | 'SERVICE_NOT_FOUND'
  /** `/services`: the address given by the environment variable does not answer as that service. */
  | 'SERVICE_UNREACHABLE'
  /** `/services`: the server did not start; the message ends with its log. */
  | 'SERVICE_FAILED'
  /** `/services`: the server was given by an address, so it is not ours to kill, pause or empty. */
  | 'SERVICE_NOT_OWNED'
  /** `/services`: this handle was stopped. */
  | 'SERVICE_STOPPED'
  /** Faults of processes rest on POSIX signals, which this platform has not. */
  | 'PLATFORM_UNSUPPORTED'

// Registered, so that an error of another copy of this package is known as well.
const brand: symbol = Symbol.for('loadbearing:harness:error')

/** The one error class of this package. `message` names what is at fault, what was received and what to do. */
export class HarnessError extends Error {
  override readonly name: string = 'HarnessError'
  readonly code: HarnessErrorCode

  constructor(code: HarnessErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Whether `error` is a {@link HarnessError}, of this copy of the package or of another one. */
export function isHarnessError(error: unknown): error is HarnessError {
  return error instanceof Error && brand in error
}
