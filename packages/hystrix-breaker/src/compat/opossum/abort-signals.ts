import { AsyncLocalStorage } from 'node:async_hooks'

/** An AbortController, or what is used like one. */
export interface Aborter {
  abort(reason?: unknown): void
  readonly signal?: AbortSignal
}

/** The abort signal of one call. */
export interface CallSignal {
  /** Runs the action, in which the signal is `current`. */
  run<T>(action: () => T): T
  /** The call timed out; `alone`: no other is under way. */
  abort(alone: boolean): void
}

/** Where the signals of calls come from. */
export interface AbortSignals {
  readonly controller: Aborter | undefined
  /** Of the call in whose action it is asked for; else of the call that begins next. */
  readonly current: AbortSignal | undefined
  begin(): CallSignal
  /** A new controller in place of one that was aborted; calls that begin have one anyway. */
  renew(): void
}

/** One controller for all calls, which is what the option `abortController` alone asks for. */
export class SharedSignal implements AbortSignals, CallSignal {
  readonly controller: Aborter | undefined

  constructor(controller: Aborter | undefined) {
    this.controller = controller
  }

  get current(): AbortSignal | undefined {
    return this.controller?.signal
  }

  begin(): CallSignal {
    return this
  }

  run<T>(action: () => T): T {
    return action()
  }

  abort(): void {
    this.controller?.abort()
  }

  renew(): void {}
}

/**
 * A signal for each call, made when it is looked at. The controller's own is above them all: aborting it aborts every
 * call. A time limit aborts the controller, as opossum does, only where the call is alone, and else the call's own.
 */
export class SignalPerCall implements AbortSignals {
  #controller: Aborter
  #next: OwnSignal | undefined
  readonly #running = new AsyncLocalStorage<OwnSignal>()

  constructor(controller: Aborter) {
    this.#controller = controller
  }

  get controller(): Aborter {
    return this.#controller
  }

  get current(): AbortSignal | undefined {
    const running = this.#running.getStore()
    if (running !== undefined) return running.signal
    this.renew()
    this.#next ??= new OwnSignal(this.#controller, this.#running)
    return this.#next.signal
  }

  begin(): CallSignal {
    this.renew()
    const own = this.#next ?? new OwnSignal(this.#controller, this.#running)
    this.#next = undefined
    return own
  }

  renew(): void {
    if (this.#controller.signal?.aborted !== true) return
    this.#controller = new AbortController()
    this.#next = undefined
  }
}

class OwnSignal implements CallSignal {
  readonly #shared: Aborter
  readonly #running: AsyncLocalStorage<OwnSignal>
  #own: AbortController | undefined
  #signal: AbortSignal | undefined

  constructor(shared: Aborter, running: AsyncLocalStorage<OwnSignal>) {
    this.#shared = shared
    this.#running = running
  }

  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal
    this.#own = new AbortController()
    const { signal } = this.#shared
    this.#signal = signal === undefined ? this.#own.signal : AbortSignal.any([signal, this.#own.signal])
    return this.#signal
  }

  run<T>(action: () => T): T {
    return this.#running.run(this, action)
  }

  abort(alone: boolean): void {
    if (alone) this.#shared.abort()
    this.#own?.abort()
  }
}
