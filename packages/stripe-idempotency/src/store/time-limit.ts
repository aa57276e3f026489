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
   * What the store answers to a question that was given `limit`.
   *
   * @throws Error when the time is over
   */
  within<Answer>(asked: Promise<Answer>, limit: Limit): Promise<Answer> {
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

/** Of one question: its signal, made when somebody asks for it, ends with the time. */
export class Limit {
  #controller: AbortController | undefined
  #reason: Error | undefined

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
