/** Those who wait for the next change. */
export class Waiters {
  #waiting = new Set<() => void>()

  /** Resolves at the next {@link wake}; rejects with the signal's reason. */
  wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      const settle = (): void => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      const abort = (): void => {
        this.#waiting.delete(settle)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiting.add(settle)
    })
  }

  wake(): void {
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const settle of waiting) settle()
  }
}
