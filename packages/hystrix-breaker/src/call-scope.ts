import type { CallContext } from './call.ts'

/** What ends when its scope is aborted. */
export interface Abortable {
  aborted(reason: unknown): void
}

/**
 * What can be given up as a whole: a run, an attempt of it, a batch. A scope is aborted with its parent. Its signal is
 * made when it is first looked at, and it is joined to its parent only when somebody has to be told.
 */
export class CallScope implements CallContext, Abortable {
  readonly #parent: CallScope | undefined
  #isAborted = false
  #reason: unknown
  #controller: AbortController | undefined
  #joined = false
  // Most scopes have one listener at a time.
  #listener: Abortable | undefined
  #more: Set<Abortable> | undefined

  constructor(parent: CallScope | undefined) {
    this.#parent = parent
  }

  get isAborted(): boolean {
    return this.#isAborted || this.#parent?.isAborted === true
  }

  get reason(): unknown {
    return this.#isAborted ? this.#reason : this.#parent?.reason
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.isAborted) this.#controller.abort(this.reason)
      else this.join()
    }
    return this.#controller.signal
  }

  /** Of a whole run, the highest number first; 0 where it has none. */
  get priority(): number {
    return this.#parent?.priority ?? 0
  }

  /** True the first time that a run asks it for `key`, in whichever of its scopes. */
  first(key: object): boolean {
    return this.#parent?.first(key) ?? true
  }

  /** Work is told before what waits for it: whoever begins something new on its account finds the old one aborted. */
  abort(reason: unknown): void {
    if (this.#isAborted) return
    this.#isAborted = true
    this.#reason = reason
    this.#controller?.abort(reason)
    const listener = this.#listener
    const more = this.#more
    this.#listener = undefined
    this.#more = undefined
    listener?.aborted(reason)
    if (more !== undefined) for (const each of more) each.aborted(reason)
  }

  aborted(reason: unknown): void {
    this.abort(reason)
  }

  add(listener: Abortable): void {
    if (this.#listener === undefined) this.#listener = listener
    else {
      this.#more ??= new Set()
      this.#more.add(listener)
    }
    this.join()
  }

  remove(listener: Abortable): void {
    if (this.#listener === listener) this.#listener = undefined
    else this.#more?.delete(listener)
  }

  /** Forgets the parent's abort: what was done in here is over. */
  release(): void {
    if (this.#joined) this.#parent?.remove(this)
    this.#joined = false
  }

  /** From here on it is aborted with its parent. */
  join(): void {
    if (this.#joined || this.#parent === undefined) return
    this.#joined = true
    this.#parent.add(this)
  }
}
