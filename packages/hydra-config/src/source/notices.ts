/** Notices from callbacks, for one who awaits them. Those that nobody has taken yet are one. */
export class Notices {
  #told = false
  #failure: { readonly error: unknown } | undefined
  #wake: () => void = () => {}

  readonly tell = (): void => {
    this.#told = true
    this.#wake()
  }

  /** Ends what awaits with an error, after what was told before. */
  readonly fail = (error: unknown): void => {
    this.#failure ??= { error }
    this.#wake()
  }

  /** Ends when `signal` aborts. */
  async *until(signal: AbortSignal): AsyncGenerator<void> {
    const wake = (): void => this.#wake()
    signal.addEventListener('abort', wake)
    try {
      while (!signal.aborted) {
        if (this.#told) {
          this.#told = false
          yield
        } else if (this.#failure === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        } else throw this.#failure.error
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }
}
