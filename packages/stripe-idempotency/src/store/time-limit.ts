import { SharedTimer } from '../lease/shared-timer.ts'
import type { Clock } from '../ports.ts'

/** How long the store may take to answer. */
export class TimeLimit implements Disposable {
  readonly #timer: SharedTimer
  readonly #ms: number

  /** @param ms milliseconds */
  constructor(clock: Clock, ms: number) {
    this.#timer = new SharedTimer(clock, ms)
    this.#ms = ms
  }

  /**
   * As `ask`, which is given a signal that ends with the time. What is answered at once needs no limit.
   *
   * @throws Error when the time is over
   */
  of<Answer extends object>(
    ask: (limit: { readonly signal: AbortSignal }) => Promise<Answer> | Answer,
  ): Promise<Answer> | Answer {
    const limit = new Limit()
    const asked = ask(limit)
    return 'then' in asked ? this.#within(asked, limit) : asked
  }

  #within<Answer>(asked: Promise<Answer>, limit: Limit): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const started = this.#timer.start(() => {
        const error = new Error(`it did not answer in ${this.#ms} ms`)
        limit.end(error)
        reject(error)
      })
      asked.then(
        (answer) => {
          this.#timer.stop(started)
          return resolve(answer)
        },
        (error: unknown) => {
          this.#timer.stop(started)
          reject(error)
        },
      )
    })
  }

  /** No limit ends any more. */
  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]()
  }
}

class Limit {
  #controller: AbortController | undefined
  #reason: Error | undefined

  /** Made when somebody asks for it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  end(reason: Error): void {
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}
