import { untilAborted } from './until-aborted.ts'

/** One execution that several callers wait for. */
export class Shared<T> {
  readonly #promise: Promise<T>
  readonly #controller: AbortController | undefined
  readonly #abandoned: () => void
  #waiting = 0
  #settled = false

  /** `abandoned` is told when the last caller has left before the answer came. */
  constructor(
    start: (signal: AbortSignal | undefined) => Promise<T>,
    abortable: boolean,
    abandoned: () => void,
  ) {
    this.#abandoned = abandoned
    // A caller without a signal cannot leave; where such a one is first, nothing will ever abort.
    this.#controller = abortable ? new AbortController() : undefined
    this.#promise = start(this.#controller?.signal)
    const settle = (): void => {
      this.#settled = true
    }
    this.#promise.then(settle, settle)
  }

  join(signal: AbortSignal | undefined): Promise<T> {
    this.#waiting++
    if (signal === undefined) return this.#promise
    return untilAborted(this.#promise, signal, () => this.#leave(signal.reason))
  }

  #leave(reason: unknown): void {
    this.#waiting--
    if (this.#waiting > 0 || this.#settled) return
    this.#abandoned()
    this.#controller?.abort(reason)
  }
}
