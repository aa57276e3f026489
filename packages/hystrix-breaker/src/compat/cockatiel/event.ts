import { TaskCancelledError } from './errors.ts'

export interface IDisposable {
  dispose(): void
}

/** Calls `listener` for each of its events, until what comes back is disposed of. */
export type Event<T> = (listener: (data: T) => void) => IDisposable

export const Event: {
  /** Calls `listener` for one event. */
  readonly once: <T>(event: Event<T>, listener: (data: T) => void) => IDisposable
  /** The next event. @throws TaskCancelledError where `signal` is aborted first. */
  readonly toPromise: <T>(event: Event<T>, signal?: AbortSignal) => Promise<T>
} = { once, toPromise }

/** Sends events to listeners. */
export class EventEmitter<T> {
  #listeners: readonly ((data: T) => void)[] = []

  readonly addListener: Event<T> = (listener) => {
    this.#listeners = [...this.#listeners, listener]
    let added = true
    return {
      dispose: () => {
        if (added) this.#remove(listener)
        added = false
      },
    }
  }

  /** How many listeners there are. */
  get size(): number {
    return this.#listeners.length
  }

  /** What a listener throws is thrown outside: the other listeners and the call it tells of go on. */
  emit(value: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(value)
      } catch (error) {
        throwOutside(error)
      }
    }
  }

  #remove(listener: (data: T) => void): void {
    const at = this.#listeners.indexOf(listener)
    this.#listeners = this.#listeners.filter((_, place) => place !== at)
  }
}

/** As an uncaught exception, like that of an EventTarget's listener: not lost, and not in the way. */
export function throwOutside(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}

function once<T>(event: Event<T>, listener: (data: T) => void): IDisposable {
  let fired = false
  let added: IDisposable | undefined
  added = event((data) => {
    if (fired) return
    fired = true
    added?.dispose()
    listener(data)
  })
  // It may have fired while it was added.
  if (fired) added.dispose()
  return added
}

function toPromise<T>(event: Event<T>, signal?: AbortSignal): Promise<T> {
  if (signal?.aborted === true) return Promise.reject(new TaskCancelledError())
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      added.dispose()
      reject(new TaskCancelledError())
    }
    const added = once(event, (data) => {
      signal?.removeEventListener('abort', cancel)
      resolve(data)
    })
    signal?.addEventListener('abort', cancel, { once: true })
  })
}
