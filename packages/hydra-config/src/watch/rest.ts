import { type Clock, keepAlive, letGo } from '../ports.ts'

/** Waits for notices to come to rest. */
export class Rest {
  readonly #clock: Clock
  readonly #quietMs: number
  readonly #quietMaxMs: number
  #first: number | undefined
  #last = 0
  #wake: () => void = () => {}
  #timer: unknown
  #isAwaited = false

  constructor(clock: Clock, quietMs: number, quietMaxMs: number) {
    this.#clock = clock
    this.#quietMs = quietMs
    this.#quietMaxMs = quietMaxMs
  }

  notice(): void {
    this.#last = this.#clock.monotonic()
    this.#first ??= this.#last
    this.#wake()
  }

  /** What was told until now is taken care of. */
  forget(): void {
    this.#first = undefined
  }

  /** Whether somebody waits for what comes of it: only then the process is kept alive. */
  set isAwaited(isAwaited: boolean) {
    this.#isAwaited = isAwaited
    if (isAwaited) keepAlive(this.#timer)
    else letGo(this.#timer)
  }

  /**
   * Resolves `quietMs` after the last notice or `quietMaxMs` after the first, in any case after `pollMs`, or when
   * `signal` aborts.
   */
  async until(pollMs: number, signal: AbortSignal): Promise<void> {
    const poll = this.#clock.monotonic() + pollMs
    while (!signal.aborted) {
      const quiet =
        this.#first === undefined
          ? Number.POSITIVE_INFINITY
          : Math.min(this.#last + this.#quietMs, this.#first + this.#quietMaxMs)
      const left = Math.min(poll, quiet) - this.#clock.monotonic()
      if (left <= 0) break
      await this.#sleep(left, signal)
    }
    this.#first = undefined
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    signal.addEventListener('abort', this.#onAbort)
    this.#timer = this.#clock.setTimeout(resolve, ms)
    if (this.#isAwaited) keepAlive(this.#timer)
    await promise
    this.#clock.clearTimeout(this.#timer)
    signal.removeEventListener('abort', this.#onAbort)
  }

  readonly #onAbort = (): void => this.#wake()
}
