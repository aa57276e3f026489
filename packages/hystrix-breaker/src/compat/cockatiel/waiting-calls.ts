import { realClock } from '../../ports.ts'
import type { CallSignal } from './call-signal.ts'

export interface WaitingCall {
  readonly signal: CallSignal
  resume(): void
  cancelled(): void
}

const waitingMax = 10_000

/** Calls that wait for a half-open circuit to decide. */
export class WaitingCalls {
  // With what ends the listening to its signal.
  #calls = new Map<WaitingCall, () => void>()
  #timer: unknown

  /** False where too many wait already. A call whose signal is aborted is cancelled at once. */
  add(call: WaitingCall): boolean {
    if (call.signal.aborted) {
      call.cancelled()
      return true
    }
    if (this.#calls.size >= waitingMax) return false
    const forget = call.signal.onAbort(() => {
      if (this.#calls.delete(call)) call.cancelled()
    })
    this.#calls.set(call, forget)
    return true
  }

  /** Calls `look` after `delay` milliseconds, unless something else comes first. */
  wakeIn(delay: number, look: () => void): void {
    if (this.#timer !== undefined || delay === Infinity) return
    this.#timer = realClock.setTimeout(() => {
      this.#timer = undefined
      look()
    }, Math.ceil(delay))
  }

  /** In the order of their coming, and after what resumes them is over. */
  resumeAll(): void {
    if (this.#timer !== undefined) realClock.clearTimeout(this.#timer)
    this.#timer = undefined
    const calls = this.#calls
    this.#calls = new Map()
    if (calls.size === 0) return
    queueMicrotask(() => {
      for (const [call, forget] of calls) {
        forget()
        if (call.signal.aborted) call.cancelled()
        else call.resume()
      }
    })
  }
}
