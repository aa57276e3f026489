import { HarnessError } from '../errors.ts'

/** What became of an operation: `ok` answered, `fail` certainly had no effect, `info` may have had it or not. */
export type Outcome<Output> =
  | { readonly kind: 'ok'; readonly output: Output }
  | { readonly kind: 'fail'; readonly reason?: unknown }
  | { readonly kind: 'info'; readonly reason?: unknown }

export interface Operation<Input, Output> {
  readonly process: string
  readonly input: Input
  readonly outcome: Outcome<Output>
  /** Moment of the call, in any unit that only grows; of several at one moment, calls come before answers. */
  readonly invoked: number
  /** Moment of the answer; Infinity where there was none. */
  readonly returned: number
}

/** One open operation: exactly one of the three ends it. */
export interface Call<Output> {
  /** It answered `output`. */
  complete(output: Output): void
  /** It certainly had no effect. */
  fail(reason?: unknown): void
  /** Nobody knows: a timeout, a lost connection. It may take effect later, too. */
  info(reason?: unknown): void
}

/** Records operations of concurrent processes in the order in which this program sees them. */
export class History<Input, Output> {
  readonly #entries: { -readonly [K in keyof Operation<Input, Output>]: Operation<Input, Output>[K] }[] = []
  readonly #open = new Set<string>()
  #moment = 0

  /** `process` calls `input`. A process has one operation open at a time, else HISTORY_MISUSED. */
  invoke(process: string, input: Input): Call<Output> {
    if (this.#open.has(process)) {
      throw new HarnessError(
        'HISTORY_MISUSED',
        `history: process ${JSON.stringify(process)} invokes an operation while its last one is open; end that first ` +
          'or give each concurrent caller a process of its own',
      )
    }
    this.#open.add(process)
    const entry = {
      process,
      input,
      outcome: { kind: 'info' } as Outcome<Output>,
      invoked: this.#moment++,
      returned: Infinity,
    }
    this.#entries.push(entry)
    let ended = false
    const end = (outcome: Outcome<Output>): void => {
      if (ended) {
        throw new HarnessError(
          'HISTORY_MISUSED',
          `history: an operation of process ${JSON.stringify(process)} ends as ${outcome.kind}, but has ended before`,
        )
      }
      ended = true
      this.#open.delete(process)
      entry.outcome = outcome
      if (outcome.kind !== 'info') entry.returned = this.#moment++
    }
    return {
      complete: (output) => end({ kind: 'ok', output }),
      fail: (reason) => end({ kind: 'fail', reason }),
      info: (reason) => end({ kind: 'info', reason }),
    }
  }

  /**
   * Records the whole of `work`: its value completes the operation. What it throws is recorded as `info` and thrown
   * on, unless `certain` says that such an error means that nothing was done.
   */
  async record(
    process: string,
    input: Input,
    work: () => Output | PromiseLike<Output>,
    certain: (reason: unknown) => boolean = () => false,
  ): Promise<Output> {
    const call = this.invoke(process, input)
    try {
      const output = await work()
      call.complete(output)
      return output
    } catch (reason) {
      if (certain(reason)) call.fail(reason)
      else call.info(reason)
      throw reason
    }
  }

  /** What was recorded up to now; an operation still open counts as `info`. */
  get operations(): readonly Operation<Input, Output>[] {
    return this.#entries.map((entry) => ({ ...entry }))
  }
}
