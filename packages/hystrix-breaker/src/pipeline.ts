import { signalFault } from './abort-signal.ts'
import type { CallOptions, Sink, Work } from './call.ts'
import { CallScope } from './call-scope.ts'
import { Emitter } from './emitter.ts'
import { InvalidOptionError, ResilienceError, shown } from './errors.ts'
import { checkFunction, checkInteger, checkNames } from './option-checks.ts'
import { checkBudget } from './policy/chosen-budget.ts'
import { type PipelineEvents, pipelineChannels } from './policy/pipeline-events.ts'
import type { PipelineParts, Policy, Step } from './policy/policy.ts'
import { workStep } from './policy/work-step.ts'
import { RetryBudget } from './retry-budget.ts'

export interface PipelineOptions {
  /** For messages and events. Default `pipeline`. */
  readonly name?: string
  /**
   * What its retries and hedges may spend together, those with a budget of their own apart. Default: a new
   * {@link RetryBudget}, 20 % of the runs and 10 a second; `false` for no limit.
   */
  readonly budget?: RetryBudget | false
}

export interface RunOptions extends CallOptions {
  /** Who comes first out of the queue of a bulkhead: the highest whole number of -100 to 100. Default 0. */
  readonly priority?: number
}

/** Policies around a call. */
export interface Pipeline<Added = never> extends AsyncDisposable {
  readonly name: string
  /**
   * Runs `work` through all policies. What it returns or throws goes to the caller as it is, if no policy decides
   * otherwise. The signal of its context is made when it is first looked at.
   *
   * @throws ResilienceError of a policy, or `DISPOSED`; the reason of `signal`, where it is aborted first, and then at
   * once. The promise is rejected with it.
   */
  run<T>(work: Work<T>, options?: RunOptions): Promise<T | Added>
  /** Runs begun and not answered. */
  readonly running: number
  /** Calls `listener` for each event; the function that comes back ends it. */
  on<Name extends keyof PipelineEvents>(
    name: Name,
    listener: (event: PipelineEvents[Name]) => void,
  ): () => void
}

/** What the policies may answer beside the value of the work: the union of their fallbacks. */
export type AddedBy<P> = P extends Policy<infer Added> ? Added : never

/**
 * Joins policies, the outermost first, into one function. Each run is passed from policy to policy without a promise in
 * between.
 *
 * @throws InvalidOptionError naming what is no policy, or the option.
 */
export function pipeline<const P extends readonly Policy<unknown>[]>(
  ...policies: P
): Pipeline<AddedBy<P[number]>>
export function pipeline<const P extends readonly Policy<unknown>[]>(
  options: PipelineOptions,
  ...policies: P
): Pipeline<AddedBy<P[number]>>
export function pipeline(...given: readonly (PipelineOptions | Policy<unknown>)[]): Pipeline<unknown> {
  const [first, ...rest] = given
  const [options, layers] = first === undefined || isPolicy(first) ? [{}, given] : [first, rest]
  return new CompiledPipeline(options, layers.map(checkPolicy))
}

class CompiledPipeline<Added> implements Pipeline<Added> {
  readonly name: string
  readonly #policies: readonly Policy<Added>[]
  readonly #step: Step<Added>
  readonly #emitter = new Emitter<PipelineEvents>(pipelineChannels)
  // The parent of all runs: with it they are all aborted before the first of them is told, so that none takes a place
  // that another one leaves.
  readonly #runs = new Runs(undefined)
  #disposed = false

  constructor(options: PipelineOptions, policies: readonly Policy<Added>[]) {
    checkNames('pipeline', options, ['name', 'budget'])
    const { name = 'pipeline' } = options
    const budget = checkBudget(options.budget) ?? new RetryBudget()
    if (typeof name !== 'string') throw new InvalidOptionError(`name must be a text, not ${shown(name)}`)
    this.name = name
    this.#policies = policies
    const parts: PipelineParts = {
      name,
      budget: budget === false ? undefined : budget,
      emitter: this.#emitter,
    }
    let step: Step<Added> = workStep
    for (const policy of policies.toReversed()) step = policy.compile(step, parts)
    this.#step = step
  }

  get running(): number {
    return this.#runs.count
  }

  on<Name extends keyof PipelineEvents>(
    name: Name,
    listener: (event: PipelineEvents[Name]) => void,
  ): () => void {
    return this.#emitter.on(name, listener)
  }

  run<T>(work: Work<T>, options: RunOptions = {}): Promise<T | Added> {
    if (this.#disposed) return Promise.reject(this.#disposedError())
    return new Promise<T | Added>((resolve, reject) => {
      checkFunction('work', work)
      if (typeof options !== 'object' || options === null)
        throw new InvalidOptionError(`the options of a run must be an object, not ${shown(options)}`)
      const { signal, priority = 0 } = options
      const fault = signalFault(signal)
      if (fault !== undefined) throw fault
      checkInteger('priority', priority, -100, 100)
      if (signal?.aborted === true) return reject(signal.reason)
      const run = new Run<T | Added>(this.#runs, signal, priority, resolve, reject)
      this.#step(run, work, run)
      run.isUnderWay = true
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    this.#runs.abort(this.#disposedError())
    for (const policy of this.#policies) await policy.dispose?.()
  }

  #disposedError(): ResilienceError {
    return new ResilienceError('DISPOSED', `${this.name}: the pipeline was disposed of`)
  }
}

class Runs extends CallScope {
  count = 0
}

/** The outermost scope of a run, and what takes its answer. */
class Run<T> extends CallScope implements Sink<T> {
  isUnderWay = false
  readonly #runs: Runs
  readonly #priority: number
  readonly #resolve: (value: T) => void
  readonly #reject: (error: unknown) => void
  readonly #signal: AbortSignal | undefined
  readonly #onAbort: (() => void) | undefined
  // Most runs know one budget.
  #mark: object | undefined
  #more: Set<object> | undefined

  constructor(
    runs: Runs,
    signal: AbortSignal | undefined,
    priority: number,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    super(runs)
    this.#runs = runs
    this.#priority = priority
    this.#resolve = resolve
    this.#reject = reject
    runs.count++
    this.join()
    this.#signal = signal
    if (signal === undefined) return
    this.#onAbort = () => this.abort(signal.reason)
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  override get priority(): number {
    return this.#priority
  }

  override first(key: object): boolean {
    if (this.#mark === key || this.#more?.has(key) === true) return false
    if (this.#mark === undefined) this.#mark = key
    else {
      this.#more ??= new Set()
      this.#more.add(key)
    }
    return true
  }

  succeed(value: T): void {
    this.#end()
    this.#resolve(value)
  }

  // A promise that is rejected before its caller can look at it goes through Node's books of unhandled rejections, which
  // costs more than all the rest.
  fail(error: unknown): void {
    this.#end()
    if (this.isUnderWay) this.#reject(error)
    else queueMicrotask(() => this.#reject(error))
  }

  #end(): void {
    this.#runs.count--
    this.release()
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}

function isPolicy(value: PipelineOptions | Policy<unknown>): value is Policy<unknown> {
  return typeof value === 'object' && value !== null && 'compile' in value
}

function checkPolicy(value: PipelineOptions | Policy<unknown>, at: number): Policy<unknown> {
  if (isPolicy(value)) return value
  throw new InvalidOptionError(
    `policy ${at + 1} must be made by retry, timeout and so on, not ${shown(value)}`,
  )
}
