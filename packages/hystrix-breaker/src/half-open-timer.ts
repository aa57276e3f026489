import type { Circuit } from './circuit.ts'
import type { Clock } from './ports.ts'

/** Shows the end of an open circuit's wait to those who listen, when it comes; without it the next call does. */
export class HalfOpenTimer {
  readonly #circuit: Circuit
  readonly #clock: Clock
  #timer: unknown
  #ended = false

  constructor(circuit: Circuit, clock: Clock) {
    this.#circuit = circuit
    this.#clock = clock
  }

  /** After each transition. A timer is there only while the circuit is open. */
  arm(): void {
    this.#clear()
    if (this.#ended) return
    const refusal = this.#circuit.refusal(this.#clock.monotonic())
    if (refusal?.state !== 'open') return
    const fire = (): void => {
      this.#timer = undefined
      this.arm()
    }
    this.#timer = this.#clock.setTimeout(fire, Math.ceil(refusal.retryAfter ?? 0))
  }

  /** Work that goes on may still change the circuit; no timer comes of it. */
  end(): void {
    this.#ended = true
    this.#clear()
  }

  #clear(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
