import { MaglevError, shown } from '../errors.ts'
import type { Clock } from '../ports.ts'

/** Flows end by time alone, which is looked at so often. */
const lookMs = 250

/** Waits for backends to hold nothing more. */
export class Drains {
  readonly #clock: Clock
  /** What a backend holds: leases report their end, flows (where they are all that is left) are to be looked at. */
  readonly #holds: (id: string) => 'leases' | 'flows' | 'nothing'
  readonly #drained: (id: string) => void
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>()
  #timer: unknown

  constructor(
    clock: Clock,
    holds: (id: string) => 'leases' | 'flows' | 'nothing',
    drained: (id: string) => void,
  ) {
    this.#clock = clock
    this.#holds = holds
    this.#drained = drained
  }

  /** Resolves when `id` holds nothing; rejects with the reason of `signal` when that is aborted, or with that of `cancel`. */
  async wait(id: string, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    const waiting = this.#waiting.get(id) ?? this.#begin(id)
    this.look(id)
    if (signal === undefined) return waiting.promise
    const aborted = Promise.withResolvers<never>()
    const abort = (): void => aborted.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      await Promise.race([waiting.promise, aborted.promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /** Looks whether `id` holds something still, after a lease of it has ended. */
  look(id: string): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    const holds = this.#holds(id)
    if (holds === 'nothing') {
      this.#waiting.delete(id)
      waiting.resolve()
      this.#drained(id)
    } else if (holds === 'flows') this.#timer ??= this.#clock.setTimeout(() => this.#lookAtAll(), lookMs)
  }

  /** Ends the wait for `id`, which is not draining any more. */
  cancel(id: string, reason: Error): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiting?.reject(reason)
  }

  close(reason: Error): void {
    this.#clock.clearTimeout(this.#timer)
    for (const id of this.#waiting.keys()) this.cancel(id, reason)
  }

  #begin(id: string): PromiseWithResolvers<void> {
    const waiting = Promise.withResolvers<void>()
    // A drain that nobody awaits may be cancelled all the same.
    waiting.promise.catch(() => undefined)
    this.#waiting.set(id, waiting)
    return waiting
  }

  #lookAtAll(): void {
    this.#timer = undefined
    for (const id of this.#waiting.keys()) this.look(id)
  }
}

export function interrupted(id: string): MaglevError {
  return new MaglevError(
    'DRAIN_INTERRUPTED',
    `Backend ${shown(id)} was enabled, disabled or removed before it was drained`,
  )
}
