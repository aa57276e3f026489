/** Whether a call is given up, without an AbortSignal having to be there. */
export interface CallSignal {
  /** Made where it is looked at. */
  readonly signal: AbortSignal
  readonly aborted: boolean
  /** Calls `listener` once, where the abort is yet to come; the function that comes back ends it. */
  onAbort(listener: (reason: unknown) => void): () => void
}

/** That of a call whose caller gave `signal`, or none. */
export function callSignal(signal: AbortSignal | undefined): CallSignal {
  return signal === undefined ? new NeverAborted() : new GivenSignal(signal)
}

const nothing = (): void => {}

// A signal of its own for each call: listeners that are never taken away go with it.
class NeverAborted implements CallSignal {
  readonly aborted = false
  #signal: AbortSignal | undefined

  get signal(): AbortSignal {
    this.#signal ??= new AbortController().signal
    return this.#signal
  }

  onAbort(): () => void {
    return nothing
  }
}

class GivenSignal implements CallSignal {
  readonly signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.signal = signal
  }

  get aborted(): boolean {
    return this.signal.aborted
  }

  onAbort(listener: (reason: unknown) => void): () => void {
    const { signal } = this
    const aborted = (): void => listener(signal.reason)
    signal.addEventListener('abort', aborted, { once: true })
    return () => signal.removeEventListener('abort', aborted)
  }
}

/** One that is aborted here, or with its parent. */
export class OwnSignal implements CallSignal {
  readonly #parent: CallSignal
  #controller: AbortController | undefined
  #abortedHere: { readonly reason: unknown } | undefined
  #listeners: Set<(reason: unknown) => void> | undefined
  #unlink: (() => void) | undefined

  constructor(parent: CallSignal) {
    this.#parent = parent
  }

  get aborted(): boolean {
    return this.#abortedHere !== undefined || this.#parent.aborted
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortedHere !== undefined) this.#controller.abort(this.#abortedHere.reason)
      else if (this.#parent.aborted) this.#controller.abort(this.#parent.signal.reason)
      else this.#link()
    }
    return this.#controller.signal
  }

  onAbort(listener: (reason: unknown) => void): () => void {
    this.#link()
    this.#listeners ??= new Set()
    const listeners = this.#listeners
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }

  abort(reason?: unknown): void {
    if (this.#abortedHere !== undefined) return
    this.#abortedHere = { reason }
    this.unlink()
    this.#controller?.abort(reason)
    const listeners = this.#listeners
    this.#listeners = undefined
    if (listeners !== undefined) for (const listener of listeners) listener(reason)
  }

  /** No longer aborted with its parent. */
  unlink(): void {
    this.#unlink?.()
    this.#unlink = undefined
  }

  #link(): void {
    if (this.#unlink === undefined && this.#abortedHere === undefined) {
      this.#unlink = this.#parent.onAbort((reason) => this.abort(reason))
    }
  }
}
